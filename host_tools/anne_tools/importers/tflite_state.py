"""Variables of a streaming network: the one thing that is done with them, a delay line, is the layer Delay.

    v = VAR_HANDLE()                      the variable, filled with zeros by a CALL_ONCE
    old = READ_VARIABLE(v)                its k frames
    all = CONCATENATION(old, new)         behind them those of this call: what the layer gives
    ASSIGN_VARIABLE(v, last k of all)     by STRIDED_SLICE or SLICE

All of it is found before operators are read; what is done otherwise with a variable is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import ModelError
from ..layers import Delay
from .flow import Flow, Step
from .tflite_files import FileTensor, Operator, TfliteFile, clean
from .tflite_moves import Moves

SUPPORTED = (
    "supported is a delay line: a variable of zeros, read, new frames joined behind, and their last assigned"
)


@dataclass
class Variable:
    """What reads and assigns one variable, and what it holds at first: the tensor of a file."""

    reads: list[Operator] = field(default_factory=list)
    assigns: list[Operator] = field(default_factory=list)
    first: FileTensor | None = None


class State(Moves):
    """Methods of the operators on variables."""

    def __init__(self, file: TfliteFile, flow: Flow):
        super().__init__(file, flow)
        self.names: dict[int, str] = {}  # of variables, by the tensors that are their handles
        self.variables = _variables(file, self.names)
        self.of_read = {
            index: name for name, v in self.variables.items() for op in v.reads for index in op.outputs
        }
        self.delays: dict[str, tuple[int, int]] = {}  # what a Delay makes, and how many frames stay
        for op in [op for op in file.operators if op.name == "CALL_ONCE"][:1]:
            self._begin(op)

    def _begin(self, op: Operator) -> None:
        """Take the constants that a CALL_ONCE assigns to variables."""
        initial = self.file.subgraph(self._options(op, "CallOnceOptions").InitSubgraphIndex(), op.where)
        for name, there in _variables(initial, {}).items():
            for assign in there.assigns if name in self.variables else []:
                index = self._input(assign, 1)
                if obstacle := initial.obstacle(index):
                    raise ModelError(f"{op.where}: a variable begins with {obstacle}; {SUPPORTED}")
                self.variables[name].first = initial.tensor(index)

    def concatenation(self, op: Operator) -> None:
        """CONCATENATION; of a variable and new frames it is a Delay."""
        if any(index in self.of_read for index in op.inputs):
            return self._delay(op)
        return super().concatenation(op)

    def _delay(self, op: Operator) -> None:
        options, step = self._options(op, "ConcatenationOptions"), self._keeping(op, 1)
        name = self.of_read.get(op.inputs[0])
        if len(op.inputs) != 2 or name is None or options.FusedActivationFunction():
            raise ModelError(f"{op.where}: joins a variable in another way; {SUPPORTED}")
        x, old = self.flow.value(step, self._input(op, 1)), self.file.tensor(op.inputs[0])
        axis = self._axis(op, options.Axis(), len(x.shape))
        if axis != 1 or x.shape[0] != 1 or len(old.shape) != len(x.shape) or old.shape[2:] != x.shape[2:]:
            raise ModelError(
                f"{op.where}: joins a variable of shape {old.shape} and frames of shape {x.shape} along axis {axis}; "
                f"{SUPPORTED}"
            )
        self._check_variable(op, step, self.variables[name])
        self.flow.layer(step, op.inputs[1], Delay, old.shape[1] + x.shape[1])
        self.delays[name] = step.output, old.shape[1]

    def _check_variable(self, op: Operator, step: Step, variable: Variable) -> None:
        """ModelError unless it is read here only, assigned once, and holds zeros at first."""
        if len(variable.reads) != 1 or len(variable.assigns) != 1:
            raise ModelError(f"{op.where}: its variable is not read and assigned once; {SUPPORTED}")
        if step.dtype != "float32":
            self._demand(step, self._quantization(op, op.inputs[0]))
        first, zero = variable.first, step.quantization.zero_point if step.dtype != "float32" else 0
        if first is not None and first.data is None:
            raise ModelError(f"{op.where}: its variable does not begin with constants; {SUPPORTED}")
        if (first is None and zero) or (first is not None and (first.data != zero).any()):
            raise ModelError(f"{op.where}: its variable begins with other values than zeros; {SUPPORTED}")

    def assign_variable(self, op: Operator) -> None:
        """ASSIGN_VARIABLE: the last frames of what the variable was read for."""
        name = self.names.get(self._input(op, 0))
        joined, frames = self.delays.get(name, (None, 0))
        source, taken = self.cuts.get(self._input(op, 1), (None, []))
        if joined is None or source != joined:
            raise ModelError(f"{op.where}: its variable is assigned something else; {SUPPORTED}")
        shape = self.flow.values[joined].shape
        wanted = [(0, n, 1) for n in shape]
        wanted[1] = (shape[1] - frames, frames, 1)
        if taken != wanted:
            raise ModelError(
                f"{op.where}: its variable is assigned other frames than the last {frames}; {SUPPORTED}"
            )

    def read_variable(self, op: Operator) -> None:
        """READ_VARIABLE: joined with new frames, or refused."""
        others = self.readers.get(op.outputs[0], [])
        other = next((reader.name for reader in others if reader.name != "CONCATENATION"), "")
        if other or self.ends[op.outputs[0]]:
            raise ModelError(f"{op.where}: its variable is read by {other or 'an output'}; {SUPPORTED}")

    def nothing(self, op: Operator) -> None:
        """CALL_ONCE and VAR_HANDLE, which were looked at before."""


def _variables(file: TfliteFile, names: dict[int, str]) -> dict[str, Variable]:
    """Return what a graph does with its variables, and put the name of each handle into `names`."""
    variables: dict[str, Variable] = {}
    for op in file.operators:
        if op.name == "VAR_HANDLE" and len(op.outputs) == 1:
            options = op.options("VarHandleOptions")
            name = clean(options.SharedName() or b"") if options is not None else ""
            names[op.outputs[0]] = name
            variables.setdefault(name, Variable())
        elif op.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            name = names.get(op.inputs[0]) if op.inputs else None
            if name is None or len(op.inputs) != 1 + (op.name == "ASSIGN_VARIABLE"):
                raise ModelError(f"{op.where}: expected a variable made before it; {SUPPORTED}")
            (variables[name].reads if op.name == "READ_VARIABLE" else variables[name].assigns).append(op)
    return variables


OPERATORS = {
    "CONCATENATION": State.concatenation,
    "ASSIGN_VARIABLE": State.assign_variable,
    "READ_VARIABLE": State.read_variable,
    **dict.fromkeys(("CALL_ONCE", "VAR_HANDLE"), State.nothing),
}
