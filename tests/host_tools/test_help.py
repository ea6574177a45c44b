"""What help and editors say of `anne`: the same functions and arguments as in the code they speak of."""

import ast
import inspect
import os
import subprocess
from pathlib import Path

import anne
import pytest

ROOT = Path(__file__).parents[2]
STUB = ast.parse((ROOT / "python_api/anne/model.pyi").read_text())
UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build/micropython-unix"))
MODEL = ROOT / "tests/golden/models/small_int8.anne"
FUNCTIONS = [name for name, f in vars(anne).items() if inspect.isfunction(f) and name[0] != "_"]


def micropython(program: str) -> str:
    """What a program prints in MicroPython's unix port, which has the native module."""
    if not UNIX_PORT.exists():
        pytest.skip(f"no {UNIX_PORT}; `make test` builds it")
    run = subprocess.run([UNIX_PORT, "-c", "import anne\n" + program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_help_of_each_native_function_begins_with_its_arguments():
    told = micropython(f"for name in {FUNCTIONS}: help(getattr(anne, name))").splitlines()
    assert len(told) == len(FUNCTIONS) == 15
    for name, line in zip(FUNCTIONS, told, strict=True):
        assert line.startswith(f"object {name}{inspect.signature(getattr(anne, name))}: ")
        assert line.endswith(" is of type function")


def test_help_of_the_package_says_it_of_all():
    told = micropython("help(anne)").splitlines()
    for name in FUNCTIONS:
        assert any(line.startswith(f"  {name} -- {name}(") for line in told), name


def test_help_of_a_network_says_how_it_is_asked():
    told = micropython(f"help(anne.load({str(MODEL)!r}))")
    assert "__doc__ -- " + anne.Model.__doc__ in told
    for call in ("predict(x) or net(x)", "predict_into(x, out)", "classify(x)", "trace(x), profile(x)"):
        assert f"\n    {call}: " in told


def test_a_function_is_shown_by_its_name():
    assert micropython("print(repr(anne.dense))") == "<function dense>\n"
    assert micropython("print(anne.zero_dim)") == "zero_dim(x): a list of zeros as long as x\n"


def test_what_python_alone_has_is_called_all_the_same():
    assert micropython("print(anne.transpose([[1, 2]]), anne.dot([[2]], B=[[3]]))") == "[[1], [2]] [[6]]\n"
    assert micropython("try: anne.zeros(1)\nexcept TypeError: print('refused')") == "refused\n"


# --- The stub: mypy compares all but what a network gets when it is made (tests/typing)


def arguments(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Each argument's name, and whether it may be left out."""
    names = [argument.arg for argument in function.args.args]
    required = len(names) - len(function.args.defaults)
    return [(name, index >= required) for index, name in enumerate(names)]


def real(function) -> list[tuple[str, bool]]:
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default is not p.empty) for p in parameters if p.kind is not p.VAR_POSITIONAL]


def test_the_stubs_model_is_the_model():
    (stub,) = [node for node in STUB.body if isinstance(node, ast.ClassDef) and node.name == "Model"]
    methods = {node.name: node for node in stub.body if isinstance(node, ast.FunctionDef)}
    fields = {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}
    net = anne.load(MODEL.read_bytes())
    assert {name for name in dir(net) if name[0] != "_"} == fields | {
        name for name in methods if name[0] != "_"
    }
    for name, method in methods.items():
        if not isinstance(getattr(type(net), name, None), property):
            assert arguments(method)[1:] == real(getattr(net, name)), name
