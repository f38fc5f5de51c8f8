"""Whether the canary was visible: it had traffic all the time, and its failures have its label."""

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Final

from gate.analysis.watch.arms import Arms, WatchGrid
from gate.errors import nearest
from gate.history.sequential import ComparedStep
from gate.measure.cohorts import LabelValues
from gate.wording import amount, instant

_IDLE: Final = 20.0
"""The expected number of the canary's requests without any of which its traffic has ended. By
chance that happens once in 500 million times (Poisson)."""
_STARTS: Final = 5
"""The number of steps without traffic that a canary may have while it starts or restarts."""
_SILENT: Final = 0.1
"""The same as a share of all steps; with more than both, it was not watched all the time."""


def idle_troubles(
    arms: Arms,
    grid: WatchGrid,
    steps: Sequence[ComparedStep | None],
    groups: Collection[LabelValues],
) -> Iterator[str]:
    """Yield the problems with the traffic that a verdict of healthy does not allow.

    Args:
        arms: the compared parts of the traffic.
        grid: the steps of the watch.
        steps: the checked ones.
        groups: the groups with events, with the labels of the options.
    """
    seen = [(place, step) for place, step in enumerate(steps) if step is not None]
    if not any(step.canary_total or step.baseline_total for _, step in seen):
        if seen:
            yield "there was no traffic"
        return
    yield from _never_seen(arms, [step for _, step in seen], groups)
    last = max((place for place, step in seen if step.canary_total), default=None)
    if last is None:
        return
    if _expected(seen, last, alone=arms.baseline is None) >= _IDLE:
        since = instant(grid.end_of(last))
        yield f"{arms.canary} has had no traffic since {since}"
    silent = list(_silences([entry for entry in seen if entry[0] <= last]))
    if len(silent) > max(_STARTS, _SILENT * len(steps)):
        since = instant(grid.end_of(silent[0] - 1))
        yield (
            f"{arms.canary} had no traffic in {len(silent)} of {len(steps)} steps in which"
            f" {arms.baseline} had some; the first began at {since}"
        )


def nameless_troubles(
    arms: Arms,
    steps: Sequence[ComparedStep | None],
    nameless: Sequence[tuple[float, float]],
    margin: float,
) -> Iterator[str]:
    """Yield the problem that the canary's failures may lack its label, and so were not counted.

    Most of other traffic without the label succeeds. If most of it fails, it is likely that only
    failures lack the label: they came before it was set, or another metric counts them.

    Args:
        arms: the compared parts of the traffic.
        steps: the checked ones.
        nameless: events and failures without the canary's label, in each step.
        margin: the allowed excess of the canary's ratio.
    """
    total, bad = (sum(counts) for counts in zip(*nameless, strict=True)) if nameless else (0, 0)
    canary = sum(step.canary_total for step in steps if step is not None)
    if canary and 2 * bad > total and bad >= margin * canary:
        label = arms.canary.label
        yield (
            f"{amount(Fraction(round(bad)))} failures have no {label}, and may be those of"
            f" {arms.canary}: let failures have that label, too, or leave them out by the"
            " selector of the SLO"
        )


def _never_seen(
    arms: Arms, steps: Sequence[ComparedStep], groups: Collection[LabelValues]
) -> Iterator[str]:
    values = [set(of_label) for of_label in zip(*groups, strict=True)] or [set()] * len(arms.by)
    for label, totals in (
        (arms.canary, [step.canary_total for step in steps]),
        (arms.baseline, [step.baseline_total for step in steps]),
    ):
        if label is not None and not any(totals):
            there = values[arms.by.index(label.label)] - {""}
            yield f"no event has {label}{nearest(label.value, there)}"


def _silences(seen: Sequence[tuple[int, ComparedStep]]) -> Iterator[int]:
    """Yield the steps in which the canary had no request before it had some again.

    Only stretches in which it would have had many count, by its share of the traffic until then;
    before its first request, by that of the rest. A canary without a baseline has no such steps:
    nothing else shows that there was traffic.
    """
    canary, baseline = 0.0, 0.0
    later = sum(step.canary_total for _, step in seen)
    baseline_later = sum(step.baseline_total for _, step in seen)
    for has_traffic, entries in groupby(seen, key=lambda entry: entry[1].canary_total > 0):
        stretch = list(entries)
        there = sum(step.baseline_total for _, step in stretch)
        usual = _usual(canary, baseline) if canary else _usual(later, baseline_later - there)
        if not has_traffic and usual * there >= _IDLE:
            yield from (place for place, _ in stretch)
        canary += sum(step.canary_total for _, step in stretch)
        baseline += there


def _usual(canary: float, baseline: float) -> float:
    """Return the number of the canary's requests for each of the baseline's; 0 if it had none."""
    return canary / baseline if baseline > 0 else 0.0


def _expected(seen: Sequence[tuple[int, ComparedStep]], last: int, *, alone: bool) -> float:
    """Return the expected number of the canary's requests after its last step with any.

    It follows from its share of the traffic until then; without a baseline, from its requests per
    step.
    """
    before = [entry for entry in seen if entry[0] <= last]
    after = [step for place, step in seen if place > last]
    if alone:
        return sum(step.canary_total for _, step in before) / len(before) * len(after)
    usual = _usual(
        sum(step.canary_total for _, step in before), sum(step.baseline_total for _, step in before)
    )
    return usual * sum(step.baseline_total for step in after)
