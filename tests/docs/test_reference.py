"""The reference pages of docs: complete, and made from stubs, docstrings and the commands' own help."""

import importlib.util
import inspect
import re

import anne
import anne_tools
import pytest
from anne_tools.cli import COMMANDS
from page_blocks import ROOT

_spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "sphinx" / "reference.py")
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def places(name: str) -> set[str]:
    return set(re.findall(r"<!-- reference: (\S+) -->", page(name)))


def test_every_function_and_class_has_its_place():
    offered = (name for name in dir(anne) if not name.startswith("_"))
    names = {
        name
        for name in offered
        if inspect.isroutine(getattr(anne, name)) or inspect.isclass(getattr(anne, name))
    }
    assert places("api_anne.md") == {f"anne.{name}" for name in names}
    assert {f"anne_tools.{name}" for name in anne_tools.__all__} <= places("api_tools.md")


def test_a_function_has_the_types_of_its_stub_and_its_docstring():
    told = reference.fill_in("a\n<!-- reference: anne.zeros -->\nb").splitlines()
    assert told[:4] == ["a", "### zeros", "", "```python"]
    assert told[4].startswith("zeros(rows: int, ")
    assert " ".join(inspect.getdoc(anne.zeros).split())[:20] in " ".join(told)


def test_a_class_has_its_methods_with_all_ways_to_call_them():
    told = reference.fill_in("<!-- reference: anne.Model -->")
    assert "\n#### Model.classify\n" in told
    assert told.count("\nclassify(x: ") == 2  # one sample, and several


def test_each_command_has_its_help():
    told = reference.fill_in("<!-- reference: commands -->")
    for command in COMMANDS:
        assert f"\n## anne {command}\n\n```text\nUsage: anne {command} " in f"\n{told}", command
    assert "\n### anne romfs build\n" in told


def test_a_name_that_there_is_not_is_an_error():
    with pytest.raises(AttributeError):
        reference.fill_in("<!-- reference: anne.nothing -->")
