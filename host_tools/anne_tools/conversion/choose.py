"""Which way to write a network is best: the type of its numbers, the scaling of its inputs, the ranges of its values.

Every way is made and tried (candidates.py): its error, bytes and cycles decide. Where a type is asked for, only the
rest is chosen.
"""

from __future__ import annotations

import numpy as np

from ..boards.fit import fit
from ..errors import ModelError
from ..network.graph import Graph
from .calibration import Cut, warnings
from .candidates import Candidate, Errors, Progress, Trial
from .pack import check_limits, pack
from .passes import simplify
from .quantize import INTEGER_DTYPES, quantize

AUTO = "auto"
# What AUTO compares; the others must be better than the first. And what it tries if none of them fits.
_COMPARED, _LAST_RESORT = ("float32", "int8", "int16", "int8-weights"), "int4"
# The error that AUTO accepts, relative to the range of the outputs, and the share of answers that must be the same.
_MOST_ERROR, _LEAST_SAME = 0.02, 0.99
# The part of the bytes or of the time that a type must save.
_WORTH_A_TYPE = 0.1
# What another scaling of the inputs must gain to be worth its time; and what is no error.
_WORTH_SCALING, _NEGLIGIBLE = 2.0, 3e-6
# Values are cut only where the error is larger than int8's usually is, and so many times smaller with the cut.
# What the samples lose in which values are cut counts so many times: they may be what the network is for.
_LARGE_ERROR, _WORTH_CUTTING, _LOSS_COUNTS = 0.01, 2.0, 2.0
# The types whose weights are coarse enough to be refined; on how many samples, and what of the error must go away.
_REFINED, _LEAST_SAMPLES, _WORTH_REFINING = ("int8", "int4"), 32, 0.85
# The error of which a report warns.
_WARNED_ERROR = 0.05


def choose(
    imported: Graph, dtype: str, calibrate: np.ndarray | None, board: str, progress: Progress | None = None
) -> Candidate:
    """Return the best way to write the network in `dtype`, or in the best type if that is AUTO.

    `calibrate` are checked inputs (n_samples, *shape); without any, AUTO is float32. A network that is quantised
    already stays as it is. ModelError where `dtype` cannot be had, or for what the format cannot hold.
    """
    if imported.is_quantized:
        folded, notes = simplify(imported)
        check_limits(folded)
        same = quantize(folded, folded.integer_dtype if dtype == AUTO else dtype)
        data = pack(same)
        return Candidate(folded.integer_dtype, None, folded, folded, same, data, fit(data, board), notes)
    trial = Trial(imported, calibrate, board, progress)
    if dtype == AUTO and calibrate is not None:
        best = _with_dtype(trial)
    else:
        best = _refined(trial, _with_ranges(trial, "float32" if dtype == AUTO else dtype))
    if (error := trial.errors(best).typical) > _WARNED_ERROR and calibrate is not None:
        best.warnings.append(
            f"the answers as {best.dtype} are off by {error:.1%} of the outputs' range on the calibration data; "
            "try another --dtype, or --dtype auto"
        )
    return best


# --- Ranges: all values, or without outliers ----------------------------------------------------------------------


def _with_ranges(trial: Trial, dtype: str) -> Candidate:
    """The best candidate in `dtype`: with the ranges of all calibration data, or of all but a few values.

    int4 has the values of int8, and its ranges.
    """
    if dtype == "int4":
        ranges = _with_ranges(trial, "int8")
        best = _with_scaling(trial, dtype, ranges.cut)
        best.warnings = ranges.warnings
        return best
    if dtype not in INTEGER_DTYPES or len(trial.cuts) < 2:
        return _with_scaling(trial, dtype, trial.cuts[0] if trial.cuts else None)
    uncut, *others = trial.cuts
    try:
        best = _with_scaling(trial, dtype, uncut)
    except ModelError:  # ranges beyond float32
        best = None
    for cut in others:
        if best is not None and trial.errors(best).typical <= _LARGE_ERROR:
            break
        candidate = _with_scaling(trial, dtype, cut)
        if best is None or _is_worth_cutting(trial, best, candidate):
            candidate.warnings = warnings(trial.imported, trial.calibrate, cut) + _why(trial, best, candidate)
            best = candidate
    return best


def _is_worth_cutting(trial: Trial, best: Candidate, other: Candidate) -> bool:
    """Whether typical samples gain by the cut, and far more than those lose in which it cuts."""
    before, after = (trial.errors(candidate, other.cut) for candidate in (best, other))
    share = float(np.mean(other.cut.beyond))
    gain, loss = (1 - share) * (before.typical - after.typical), share * (after.beyond - before.beyond)
    return before.typical > max(_LARGE_ERROR, _WORTH_CUTTING * after.typical) and gain > _LOSS_COUNTS * loss


def _why(trial: Trial, best: Candidate | None, other: Candidate) -> list[str]:
    n, n_beyond, after = len(trial.calibrate), int(other.cut.beyond.sum()), trial.errors(other).typical
    before = "are out of range" if best is None else f"would be off by {trial.errors(best).typical:.1%}"
    return [
        f"ranges were taken without these values, which {n_beyond} of {n} samples have: with them the answers for all "
        f"others {before}, without them by {after:.1%} of the outputs' range. If they are real, scale that input, or "
        "use --dtype float32"
    ]


# --- Scaling of the inputs: in the first layer's weights, or a layer of its own -------------------------------------


def _with_scaling(trial: Trial, dtype: str, cut: Cut | None) -> Candidate:
    """The better of two candidates: inputs scaled by the first layer's weights, or by a layer of their own."""
    apart = trial.scaling_apart(cut)
    try:
        best = trial.make(dtype, trial.folded, trial.notes, cut)
    except ModelError:  # weights that take in factors of unlike size may be beyond what integers hold
        if apart is None:
            raise
        return trial.make(dtype, *apart, cut)
    if apart is None:
        return best
    other = trial.make(dtype, *apart, cut)
    errors = [trial.errors(candidate).typical for candidate in (best, other)]
    cycles = [candidate.verdict.cycles for candidate in (best, other)]
    worse = errors[0] > max(errors[1] * _WORTH_SCALING, _NEGLIGIBLE)
    if not worse and cycles[0] <= cycles[1]:
        return best
    if not worse and errors[1] > max(errors[0] * _WORTH_SCALING, _NEGLIGIBLE):
        return best
    cost = f"error would be {errors[0]:.2g} instead of {errors[1]:.2g} of the outputs' range"
    if not worse:
        cost = f"layers would take {cycles[0]:.0f} cycles instead of {cycles[1]:.0f}"
    other.notes.append(
        f"inputs are scaled in a layer of their own: with the scaling in the weights the {cost}"
    )
    return other


# --- Channels of like size, biases that take back a mean error -----------------------------------------------------


def _refined(trial: Trial, best: Candidate) -> Candidate:
    """The candidate, or a better one: with equalised channels, with corrected biases, with both."""
    if best.dtype not in _REFINED or len(trial.typical) < _LEAST_SAMPLES or trial.calibrate is None:
        return best
    ways = (
        ("channels between layers were made of like size", trial.equalised),
        ("biases make up for the mean error of rounded weights", trial.corrected),
    )
    for what, make in ways:
        before = trial.errors(best).typical
        if before <= _NEGLIGIBLE:
            break
        try:
            other = make(best)
        except ModelError:  # beyond what integers hold
            continue
        if other is None or other.verdict.cycles > best.verdict.cycles:
            continue
        after = trial.errors(other).typical
        if after < _WORTH_REFINING * before:
            other.warnings = best.warnings
            other.notes.append(f"{what}: error {after:.2g} instead of {before:.2g} of the outputs' range")
            best = other
    return best


# --- The type -------------------------------------------------------------------------------------------------------


def _with_dtype(trial: Trial) -> Candidate:
    """The candidate in the type that is smallest and quickest, of those whose error is small and that fit the board.

    float32 stays unless another is neither larger nor slower, and saves something: nobody wants a type for its name.
    """
    tried, impossible = _tried(trial)
    first, _ = tried[0]
    good = [way for way, errors in tried if _is_good(errors)] or [first]
    fitting = [way for way in good if way.verdict.fits] or [
        way for way, errors in tried if way.verdict.fits and errors.typical <= _WARNED_ERROR
    ]
    if first in fitting:
        fitting = [way for way in fitting if _is_better(way, first)] or [first]
    if not fitting:
        best, reason = min(good, key=lambda way: len(way.data)), "the smallest, as none fits"
    elif (best := min(fitting, key=_bytes_times_ms)) is first:
        reason = "no other that is exact enough is smaller and as quick, or quicker and as small"
    else:
        reason = "the smallest and quickest that fits and is exact enough"
    told = [_figures(way, errors) for way, errors in sorted(tried, key=lambda pair: pair[0] is not best)]
    best.notes.append(
        f"dtype auto took {told[0]}: {reason}; compared with {', '.join(told[1:] + impossible)}; errors are root "
        "mean squares, of the outputs' range"
    )
    return best


def _tried(trial: Trial) -> tuple[list[tuple[Candidate, Errors]], list[str]]:
    """Candidates in the types that are compared, float32 first, with their errors; and what is impossible, and why."""
    tried: list[tuple[Candidate, Errors]] = []
    impossible = []
    for dtype in (*_COMPARED, _LAST_RESORT):
        if dtype == _LAST_RESORT and any(_is_good(errors) and way.verdict.fits for way, errors in tried):
            break
        try:
            way = _refined(trial, _with_ranges(trial, dtype))
        except ModelError as error:
            if dtype == _COMPARED[0]:
                raise
            impossible.append(f"{dtype} (impossible: {error})")
            continue
        tried.append((way, trial.errors(way)))
    return tried, impossible


def _is_good(errors: Errors) -> bool:
    return errors.typical <= _MOST_ERROR and errors.same >= _LEAST_SAME


def _is_better(way: Candidate, first: Candidate) -> bool:
    size = len(way.data) / len(first.data)
    time = way.verdict.predicted_ms / first.verdict.predicted_ms
    return max(size, time) <= 1 and min(size, time) <= 1 - _WORTH_A_TYPE


def _bytes_times_ms(way: Candidate) -> float:
    return len(way.data) * way.verdict.predicted_ms


def _figures(way: Candidate, errors: Errors) -> str:
    time = f"{way.verdict.predicted_ms:.2g} ms" if way.verdict.fits else "does not fit"
    same = "" if errors.same == 1 else f", {errors.same:.1%} same answers"
    return f"{way.dtype} ({len(way.data)} bytes, {time}, error {100 * errors.typical:.2g} %{same})"
