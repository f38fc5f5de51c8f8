"""The events of two groups, by step, and what they come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from gate.measure.cohorts import Cohort


@dataclass(frozen=True, slots=True)
class Arm:
    """The events of a group, or of several together, by step; where nothing is known, none."""

    total: tuple[float, ...]
    bad: tuple[float, ...]

    @property
    def sums(self) -> tuple[float, float]:
        """All events, and the bad ones, 0 to all: what floats are off is cut."""
        total = fsum(self.total)
        return total, min(max(fsum(self.bad), 0.0), total)

    @property
    def busy_steps(self) -> int:
        """In how many steps there was any event."""
        return sum(total > 0 for total in self.total)

    def residuals(self) -> tuple[float, ...]:
        """Return how many more than its share failed in each step."""
        total, bad = self.sums
        ratio = bad / total if total else 0.0
        pairs = zip(self.total, self.bad, strict=True)
        return tuple(failed - events * ratio for events, failed in pairs)

    def weighted(self, weights: Sequence[float]) -> "Arm":
        """Return the events by weights of the steps, as many as are in those with any weight."""
        totals = list(zip(self.total, weights, strict=True))
        kept = fsum(total for total, weight in totals if weight > 0)
        whole = fsum(total * weight for total, weight in totals)
        scale = kept / whole if whole else 0.0
        bad = zip(self.bad, weights, strict=True)
        return Arm(
            tuple(total * weight * scale for total, weight in totals),
            tuple(failed * weight * scale for failed, weight in bad),
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A group and what it is compared with, among events that are alike in some other way."""

    group: Arm
    rest: Arm

    @property
    def table(self) -> "Table":
        """The counts over all steps."""
        (total, bad), (rest_total, rest_bad) = self.group.sums, self.rest.sums
        return Table(total, bad, rest_total, rest_bad)

    @property
    def shared_steps(self) -> tuple[bool, ...]:
        """In which steps both had events."""
        both = zip(self.group.total, self.rest.total, strict=True)
        return tuple(mine > 0 and theirs > 0 for mine, theirs in both)

    def matched(self) -> "Pair":
        """Return both as if they had been spread over time alike, with their numbers of events.

        By Mantel and Haenszel's weights, so that the ratio is theirs over the steps as strata: what
        hit all of a step makes no difference between them. Where they are spread alike, nothing
        changes; steps in which one of them has no event are left out.
        """
        steps = list(zip(self.group.total, self.rest.total, strict=True))
        own = [theirs / (mine + theirs) if mine > 0 < theirs else 0.0 for mine, theirs in steps]
        other = [mine / (mine + theirs) if mine > 0 < theirs else 0.0 for mine, theirs in steps]
        return Pair(self.group.weighted(own), self.rest.weighted(other))


@dataclass(frozen=True, slots=True)
class Table:
    """The counts of a group and of the rest; need not be whole."""

    total: float
    bad: float
    rest_total: float
    rest_bad: float

    @property
    def events(self) -> float:
        """Of both."""
        return self.total + self.rest_total

    @property
    def failed(self) -> float:
        """Of both."""
        return self.bad + self.rest_bad

    def thinned(self, effect: float) -> "Table":
        """Return the counts divided by a design effect."""
        total, bad = self.total / effect, self.bad / effect
        return Table(total, bad, self.rest_total / effect, self.rest_bad / effect)

    def whole(self) -> "Table":
        """Return the nearest whole numbers, of which there is an event at least in each group."""
        total, rest_total = max(round(self.total), 1), max(round(self.rest_total), 1)
        bad, rest_bad = min(round(self.bad), total), min(round(self.rest_bad), rest_total)
        return Table(total, bad, rest_total, rest_bad)


def arm(cohorts: Iterable[Cohort], steps: int) -> Arm:
    """Put groups together; of none of them there is no event."""
    totals, bads = [0.0] * steps, [0.0] * steps
    for cohort in cohorts:
        _add(totals, cohort.total)
        _add(bads, cohort.bad)
    return Arm(tuple(totals), tuple(bads))


def _add(sums: list[float], points: Sequence[float | None]) -> None:
    for place, point in enumerate(points):
        sums[place] += point or 0.0
