"""Pictures as SVG text: a few shapes, written as they are asked for. Texts may come from files: they are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from .texts import harmless

Point = tuple[float, float]
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# How wide letters are on average, in parts of their size; for widths that no browser is asked for.
_LETTER = 0.53


class Svg:
    """A picture of so many pixels. Attributes are SVG's, with _ for -: `stroke_width=2`."""

    def __init__(self, width: float, height: float, title: str):
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(width)}" height="{_number(height)}" '
            f'viewBox="0 0 {_number(width)} {_number(height)}" font-family="sans-serif" font-size="12">',
            f"<title>{_escaped(title)}</title>",
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
            'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555555"/></marker></defs>',
            '<rect width="100%" height="100%" fill="white"/>',
        ]

    def rectangle(self, x: float, y: float, width: float, height: float, **style: object) -> None:
        """Draw a rectangle with round corners; x and y are its upper left one."""
        self._add("rect", {"x": x, "y": y, "width": width, "height": height, "rx": 5, **style})

    def circle(self, x: float, y: float, radius: float, **style: object) -> None:
        """Draw a circle around x, y."""
        self._add("circle", {"cx": x, "cy": y, "r": radius, **style})

    def line(self, points: Sequence[Point], **style: object) -> None:
        """Draw a line through points."""
        path = "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._add("path", {"d": path, "fill": "none", **style})

    def arrow(self, points: Sequence[Point]) -> None:
        """Draw an arrow through points to the last."""
        self.line(
            points, stroke="#555555", stroke_width=1.3, stroke_linejoin="round", marker_end="url(#arrow)"
        )

    def text(self, x: float, y: float, text: str, width: float | None = None, **style: object) -> None:
        """Write a text at the base line y, from x on or as `text_anchor` says, cut to about `width` pixels."""
        size = float(str(style.get("font_size", 12)))
        if width is not None and len(text) > (most := max(2, int(width / (_LETTER * size)))):
            text = text[: most - 1] + _ELLIPSIS
        self._add("text", {"x": x, "y": y, **style}, text)

    def data(self) -> bytes:
        """Return the picture's file."""
        return "\n".join([*self._lines, "</svg>\n"]).encode()

    def _add(self, tag: str, attributes: dict[str, object], text: str | None = None) -> None:
        words = [tag]
        for name, value in attributes.items():
            shown = _number(value) if isinstance(value, (int, float)) else str(value)
            words.append(f"{name.replace('_', '-')}={quoteattr(shown)}")
        end = "/>" if text is None else f">{_escaped(text)}</{tag}>"
        self._lines.append(f"<{' '.join(words)}{end}")


def _escaped(text: str) -> str:
    return escape(harmless(text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
