"""A picture with time from left to right, as SVG that a browser fits to any width.

The drawing is in an inner ``svg`` with a stretched ``viewBox``; the texts are beside it, at shares
of the width, so that they have the reader's font size instead of the picture's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, Protocol

from gate.analysis.report.html.tags import Html, element
from gate.dataclass import dataclass
from gate.history.burn_down import Line
from gate.reporters.drawing import Times
from gate.slo.objective import Span

_WIDTH: Final = 1000
"""The width of the inner picture in units; its vertical units are pixels."""
_ABOVE: Final = 26
_BELOW: Final = 26
_EDGE: Final = 0.04
"""The share of the width from an edge within which a text begins or ends there."""
_ROOM: Final = 0.12
"""The share of the width below which a stretch has no space for a word."""
_BESIDE: Final = 4
"""The pixels between a line and its text."""


class Scale(Protocol):
    """A scale that gives the height of a value."""

    def share(self, value: float) -> float:
        """Return 0 at the bottom, 1 at the top."""
        ...


@dataclass(slots=True, kw_only=True)
class Plot:
    """A picture that is being drawn; later parts lie on top."""

    span: Span
    scale: Scale
    height: int = 170
    """The height of the inner picture, in pixels."""
    _drawn: list[Html] = field(default_factory=list)
    _written: list[Html] = field(default_factory=list)

    def line(self, line: Line, kind: str) -> None:
        """Draw values; the line ends before an unknown value, and begins again after it."""
        self._path("".join(self._strokes(line)), kind)

    def level(self, value: float, kind: str) -> None:
        """Draw a horizontal line."""
        self._path(f"M0 {self._down(value)}H{_WIDTH}", kind)

    def band(self, low: float, high: float, kind: str) -> None:
        """Fill the area between two values."""
        top, foot = self._down(high), self._down(low)
        self._path(f"M0 {top}H{_WIDTH}V{foot}H0Z", kind)

    def area(self, upper: Line, lower: Line, kind: str) -> None:
        """Fill the area between two lines without unknown values."""
        self._path("".join(self._strokes((*upper, *reversed(lower)))) + "Z", kind)

    def bar(self, span: Span, low: float, high: float, kind: str) -> None:
        """Fill the area between two values in a stretch of time."""
        left, right = self._across(span.start), self._across(span.end)
        self._path(f"M{left} {self._down(low)}V{self._down(high)}H{right}V{self._down(low)}Z", kind)

    def stretch(self, span: Span, kind: str) -> None:
        """Fill a stretch of time, which is visible however short it is."""
        left, right = self._across(span.start), self._across(span.end)
        self._path(f"M{left} 0H{right}V{self.height}H{left}Z", kind)

    def notches(self, instants: Sequence[datetime], kind: str) -> None:
        """Draw a short stroke below the picture for each instant."""
        strokes = (f"M{self._across(at)} {self.height}v8" for at in instants)
        self._path("".join(strokes), kind)

    def dot(self, at: datetime, value: float, kind: str) -> None:
        """Mark a point."""
        x, y = f"{_short(self._times.share(at) * 100)}%", _short(self._height_of(value))
        self._written.append(element("circle", cx=x, cy=y, r="4", class_=kind))

    def tick(self, text: str, value: float, *, right: bool = True) -> None:
        """Write a value beside the picture, in the margin of the style."""
        side = ("100%", "0.5em", "start") if right else ("0", "-0.5em", "end")
        x, dx, anchor = side
        y = _short(self._height_of(value))
        self._written.append(
            element("text", text, x=x, dx=dx, y=y, text_anchor=anchor, class_="beside")
        )

    def lose(self, lost: Span, why: str = "no data") -> None:
        """Mark a stretch of time as unknown, with the reason if it fits."""
        self.stretch(lost, "lost")
        left, right = (self._times.share(at) for at in (lost.start, lost.end))
        if right - left >= _ROOM:
            self._write(why, (left + right) / 2, _ABOVE + 4 * _BESIDE, "tick within")

    def head(self, text: str, at: datetime, kind: str) -> None:
        """Write a text over the picture."""
        self._write(text, self._times.share(at), _ABOVE - 2 * _BESIDE, kind)

    def svg(self, name: str, title: str, description: str, kind: str = "plot") -> Html:
        """Return the picture.

        Args:
            name: the name of the element, unique on the page.
            title: the title, for readers who do not see the picture.
            description: the content in words.
            kind: the class in the style.
        """
        for place, (at, text) in enumerate(self._times.ticks()):
            y = _ABOVE + self.height + 20
            # A phone has no space for all.
            self._write(text, self._times.share(at), y, "tick spare" if place % 2 else "tick")
        inner = element(
            "svg",
            *self._drawn,
            x="0",
            y=str(_ABOVE),
            width="100%",
            height=str(self.height),
            viewBox=f"0 0 {_WIDTH} {self.height}",
            preserveAspectRatio="none",
        )
        return element(
            "svg",
            element("title", title, id=f"{name}-title"),
            element("desc", description, id=f"{name}-desc"),
            inner,
            *self._written,
            role="img",
            aria_labelledby=f"{name}-title {name}-desc",
            class_=kind,
            width="100%",
            height=str(_ABOVE + self.height + _BELOW),
        )

    @property
    def _times(self) -> Times:
        return Times(self.span)

    def _path(self, path: str, kind: str) -> None:
        if path:
            self._drawn.append(element("path", d=Html(path), class_=kind))

    def _strokes(self, line: Line) -> Iterator[str]:
        pen = "M"
        for at, value in line:
            if value is None:
                pen = "M"
                continue
            yield f"{pen}{self._across(at)} {self._down(value)}"
            pen = "L"

    def _across(self, at: datetime) -> str:
        return _short(min(max(self._times.share(at), 0.0), 1.0) * _WIDTH)

    def _down(self, value: float) -> str:
        return _short((1 - self.scale.share(value)) * self.height)

    def _height_of(self, value: float) -> float:
        return _ABOVE + (1 - self.scale.share(value)) * self.height

    def _write(self, text: str, share: float, y: float, kind: str) -> None:
        anchor = "start" if share < _EDGE else "end" if share > 1 - _EDGE else "middle"
        inset = {"start": 0.4, "end": -0.4}.get(anchor, 0.0)
        self._written.append(
            element(
                "text",
                text,
                x=f"{_short(share * 100 + inset)}%",
                y=_short(y),
                text_anchor=anchor,
                class_=kind,
            )
        )


def _short(number: float) -> str:
    """Write a coordinate to a tenth, which is finer than any screen shows."""
    return f"{number:.1f}".removesuffix(".0")
