"""Where the taps of windows are (FORMAT.md, "Windows"). Not frozen into firmware, whose native module looks."""

from .windows import axes_of, size_of


def number_of_taps(layer):
    """Return how many taps all windows have, inside the image or not."""
    made = size_of(layer.outputs[0])
    return made[0] * made[1] * layer.parameters[0] * layer.parameters[1]


def taps_at(layer):
    """Return for each pixel of the output its taps: the numbers of pixels, None for those outside the image."""
    rows, columns = axes_of(layer)
    columns_at = [_of_axis(columns, j) for j in range(columns[1])]
    result = []
    for i in range(rows[1]):
        row = _of_axis(rows, i)
        for column in columns_at:
            result.append(
                [None if r is None or c is None else r * columns[0] + c for r in row for c in column]
            )
    return result


def _of_axis(axis, at):
    size, _, kernel, stride, dilation, pad = axis
    places = [at * stride - pad + i * dilation for i in range(kernel)]
    return [place if 0 <= place < size else None for place in places]


def sources_at(layer):
    """Return for each pixel of a transposed convolution's output the taps that reach it, each with its pixel."""
    rows, columns = axes_of(layer)
    columns_at = [_sources_of_axis(columns, j) for j in range(columns[1])]
    result = []
    for i in range(rows[1]):
        row = _sources_of_axis(rows, i)
        for column in columns_at:
            result.append([(t * columns[2] + u, r * columns[0] + c) for t, r in row for u, c in column])
    return result


def _sources_of_axis(axis, at):
    size, _, kernel, stride, dilation, pad = axis
    found = []
    for i in range(kernel):
        place = at + pad - i * dilation
        if place >= 0 and place % stride == 0 and place // stride < size:
            found.append((i, place // stride))
    return found
