"""What docs/errors.md quotes without a run is still what the code says."""

import ast
import re

from page_blocks import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text()
QUOTED = re.findall(r"^\| `(.+?)` \|", PAGE, re.M)


def texts_in_code() -> str:
    """Every text in the host tools and the API, as the code puts its pieces together; where a value goes, a NUL."""
    found = []
    for folder in ("host_tools/anne_tools", "python_api/anne"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = (p.value if isinstance(p, ast.Constant) else "\0" for p in node.values)
                    found.append("".join(parts))
    return "\n".join(found)


TEXTS = texts_in_code()


def missing(message: str) -> list[str]:
    """The pieces of a message, around its `...`, that no text in the code has."""
    return [piece for piece in message.split("...") if piece not in TEXTS]


def test_each_quoted_message_is_in_the_code():
    assert len(QUOTED) >= 13
    assert {message: missing(message) for message in QUOTED if missing(message)} == {}


def test_a_message_that_is_not_there_is_found_out():
    assert missing("...: this board has no naughty module") == [": this board has no naughty module"]
