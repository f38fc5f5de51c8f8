"""Why a selector finds nothing, from the names and values that there are."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.doctor.case import Source
from gate.backends.prometheus.doctor.families import alike, could_match, misspelt, nearest_first
from gate.backends.prometheus.part import Role
from gate.promql.selectors import Matcher
from gate.slo.diagnosis import Check, Level, Symptom
from gate.slo.threshold import around

_MOST_SHOWN: Final = 8
_BOUNDARY: Final = "le"


@dataclass(frozen=True, slots=True)
class Clue:
    """A matcher that may be to blame, and which values its label has."""

    matcher: Matcher
    values: tuple[str, ...]
    """An empty one: of series that have no such label."""
    query: str


def no_metric(source: Source, names: Sequence[str], query: str) -> Symptom:
    """Judge a metric that does not exist. Only of bad events may it be that none happened."""
    name = source.selector.name
    near = alike(name, names)
    says = f"{source.role}: there is no metric {name}"
    remedy = "correct the name, or see that what exports it is scraped"
    if near is not None:
        says += f"; there is {near}"
        remedy = f"if {near} is meant, write so; else see that what exports {name} is scraped"
    elif source.role is Role.BAD:
        says += ": nothing ever failed, or the name is wrong"
        remedy = (
            "check the name; export the counter at 0 from the start, so that absence means wrong"
        )
    level = Level.DOUBT if source.role is Role.BAD and near is None else Level.FAULT
    return Symptom(check=Check.METRIC, level=level, says=says, remedy=remedy, looked_at=query)


def no_series(source: Source, clues: Sequence[Clue], labels: Sequence[str]) -> Symptom:
    """Judge labels that match nothing, though the metric is there.

    Args:
        source: the selector.
        clues: the matchers that may be to blame.
        labels: that the metric has.
    """
    seen = [_judge(source, clue, labels) for clue in clues]
    # Of several, the one that explains it best: none failed, then what is surely wrong.
    order = (Level.OK, Level.FAULT, Level.DOUBT)
    return min(seen, key=lambda symptom: order.index(symptom.level)) if seen else _nothing(source)


def _nothing(source: Source) -> Symptom:
    says = f"{source.role}: {source.text} finds no series"
    remedy = "name a metric, or correct the labels"
    return Symptom(check=Check.LABELS, level=Level.FAULT, says=says, remedy=remedy)


def _judge(source: Source, clue: Clue, labels: Sequence[str]) -> Symptom:
    matcher = clue.matcher
    head = f"{source.role}: no series has {matcher.text}"
    if not any(clue.values):
        return _no_label(head, clue, labels)
    if matcher.label == _BOUNDARY and (found := _no_boundary(head, clue)) is not None:
        return found
    says = f"{head}; {matcher.label} is {_listed(matcher, clue.values)}"
    plausible = could_match(matcher, clue.values) if source.role is Role.BAD else False
    if plausible is None and not misspelt(matcher, clue.values):
        remedy = (
            "if nothing was bad so far, all is well; else correct the value."
            " Exported at 0 from the start, the series would tell"
        )
        return _labels(Level.DOUBT, f"{says}: none was bad, or it is spelt otherwise", remedy, clue)
    if plausible:
        values = _listed(matcher, clue.values)
        return _labels(Level.OK, f"bad: none so far ({matcher.label} is {values})", "", clue)
    return _labels(Level.FAULT, says, _cure(matcher, clue.values), clue)


def _no_label(head: str, clue: Clue, labels: Sequence[str]) -> Symptom:
    label = clue.matcher.label
    shown = nearest_first(label, (name for name in labels if name != "__name__"))
    names = f"; it has {_several(shown)}" if shown else ""
    says = f"{head}: the metric has no label {label}{names}"
    return _labels(Level.FAULT, says, "correct the label's name", clue)


def _no_boundary(head: str, clue: Clue) -> Symptom | None:
    """Judge a histogram's boundary that is none; None: it is no plain number."""
    known = set[Fraction]()
    for value in clue.values:
        with suppress(ValueError):  # +Inf
            known.add(Fraction(value))
    try:
        near = around(Fraction(clue.matcher.value), known, "")
    except ValueError:
        return None
    return Symptom(
        check=Check.BOUNDARY,
        level=Level.FAULT,
        says=f"{head}: the histogram has no such boundary; {near}",
        remedy="choose one of these, or have the server export the boundary",
        looked_at=clue.query,
    )


def _cure(matcher: Matcher, values: Sequence[str]) -> str:
    near = nearest_first(matcher.value, values)[0]
    if re.fullmatch(r"[1-5][xX.]{2}", matcher.value) and re.fullmatch(r"[1-5][0-9]{2}", near):
        return f'for a class of codes write {matcher.label}=~"{matcher.value[0]}.."'
    return f"correct the value; the nearest is {near}"


def _labels(level: Level, says: str, remedy: str, clue: Clue) -> Symptom:
    return Symptom(check=Check.LABELS, level=level, says=says, remedy=remedy, looked_at=clue.query)


def _listed(matcher: Matcher, values: Sequence[str]) -> str:
    return _several(nearest_first(matcher.value, values))


def _several(names: Sequence[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
