"""Whether every histogram has the boundary that good events are counted by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.case import Look, Source, at_once
from gate.backends.prometheus.doctor.sight import Sight
from gate.backends.prometheus.part import Part
from gate.promql.selectors import Matcher
from gate.slo.diagnosis import Check, Level, Symptom

_ALL: Final = "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary(Look):
    """Of one selector that names a boundary, and of a histogram that was resolved."""

    check: ClassVar = Check.BOUNDARY
    source: Source
    lacking: tuple[Part, ...]
    """Each counts histograms that lacked a boundary in a part of the window."""

    def parts(self) -> Iterable[Part]:
        """Ask for the buckets of the boundary, and for all histograms."""
        le = self._le
        return () if le is None else (self._here, self._all(le))

    def symptoms(self, sight: Sight) -> Iterator[Symptom]:
        """Compare the two."""
        le = self._le
        if le is None:
            return
        here, every = sight.amount(self._here), sight.amount(self._all(le))
        late = max((sight.amount(part) for part in self.lacking), default=0)
        if 0 < here < every:
            says = (
                f"{self.source.role}: {round(here):,} of {round(every):,} histograms have {le.text}"
            )
            yield self._fault(f"{says}; all that the others count is taken for bad")
        elif late:
            says = f"{round(late):,} histograms had no {le.text} in a part of the window"
            yield self._fault(f"{says}, where every event counts as bad")
        elif here:
            yield Symptom(check=Check.BOUNDARY, looked_at=self._here.text)

    def _fault(self, says: str) -> Symptom:
        return Symptom(
            check=Check.BOUNDARY,
            level=Level.FAULT,
            says=says,
            remedy="choose a boundary that all replicas and versions have, all along",
            looked_at=self._here.text,
        )

    @property
    def _le(self) -> Matcher | None:
        if not self.source.selector.name.endswith("_bucket"):
            return None
        found = (m for m in self.source.selector.matchers if m.label == "le")
        return next((matcher for matcher in found if matcher.value != _ALL), None)

    @property
    def _here(self) -> Part:
        return at_once(f"count({self.source.text})")

    def _all(self, le: Matcher) -> Part:
        infinite = Matcher(label="le", operator="=", value=_ALL)
        rest = self.source.selector.without(le)
        return at_once(f"count({rest.only((*rest.matchers, infinite)).text})")
