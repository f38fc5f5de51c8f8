"""OpenSLO v1.

https://github.com/OpenSLO/OpenSLO/blob/main/README.md
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Final

from gate.config.placed_slo import PlacedSlo
from gate.config.slo_files import Document, DocumentContext, SloDraft, placed_slo
from gate.config.slo_files.openslo_schema import KINDS, METHODS
from gate.config.slo_files.openslo_sli import COMPARISON, occurrences, ratio_timeslices, timeslices
from gate.config.window_schema import shortest
from gate.dataclass import dataclass
from gate.parsing.numbers import ABOVE_ZERO
from gate.parsing.objects import Values
from gate.parsing.reader import Reader, UnreadableError
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Denominator, Member, Window

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_INDICATORS: Final = ("indicator", "indicatorRef")
_REFERRED_TO: Final = frozenset({"SLI", "DataSource"})


def read_document(document: Document, around: DocumentContext) -> list[PlacedSlo]:
    """Return the SLOs of a document: one for each objective, and the composite of the objectives.

    Raises:
        UnreadableError: it is not valid; the mistakes are noted.
    """
    metadata, spec = KINDS.read(document.node, document.reader)
    kind, name = document.at("kind"), metadata.get("name")
    if kind in _REFERRED_TO and around.find(document.format, kind, name) is not document:
        message = f"another {kind} in the files that the policy reads has this name"
        raise document.reader.fail(metadata.node("name"), message)
    if kind != "SLO":
        return []
    slo = _Slo(spec=spec, reader=document.reader, around=around)
    objectives: Sequence[Values] = spec.get("objectives")
    names = objective_names(name, objectives, composite=slo.composite)
    placed = list[PlacedSlo]()
    for title, objective in zip(names, objectives, strict=True):
        with suppress(UnreadableError):
            placed.append(slo.of_objective(title, objective))
    if len(placed) < len(objectives):
        raise UnreadableError
    if slo.composite:
        slo.check_composite()
        members = tuple(map(_member, names, objectives))
        values = {"name": name, "composite": members}
        placed.append(placed_slo(values, metadata.node("name"), document.reader))
    return placed


def objective_names(name: str, objectives: Sequence[Values], *, composite: bool) -> list[str]:
    """Return a name for each objective: its own name, or its number."""
    if len(objectives) == 1 and not composite:
        return [name]
    labels = [
        _FOREIGN.sub("-", objective.get("displayName", "")).strip("-._") for objective in objectives
    ]
    return [
        f"{name}/{label if label and labels.count(label) == 1 else number}"
        for number, label in enumerate(labels, start=1)
    ]


def _member(name: str, objective: Values) -> Member:
    return Member(slo=name, weight=objective.get("compositeWeight", ABOVE_ZERO.parse("1")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slo:
    """The parts of an SLO document that all its objectives share."""

    spec: Values
    reader: Reader
    around: DocumentContext

    @property
    def composite(self) -> bool:
        """Whether the objectives have indicators of their own."""
        return any(objective.given(*_INDICATORS) for objective in self.spec.get("objectives"))

    def of_objective(self, name: str, objective: Values) -> PlacedSlo:
        """Return the SLO of one objective."""
        self._check_method()
        spec, reader = self._indicator(objective)
        self._check_comparison(objective, spec)
        self._check_slices(objective)
        window = self._window()
        sli, slices = self._sli(objective, window[0], spec, reader)
        draft = SloDraft(
            name=name,
            objective=self._target(objective),
            sli=sli,
            node=objective.node(),
            slices=slices,
        )
        return draft.placed(window, self.reader)

    def check_composite(self) -> None:
        """Refuse a composite of ratio timeslices whose objectives have different targets."""
        targets = set(map(self._target, self.spec.get("objectives")))
        if self.spec.get("budgetingMethod") == "RatioTimeslices" and len(targets) > 1:
            message = (
                "a composite of RatioTimeslices adds up what its objectives miss; give all of them"
                " the same target"
            )
            raise self.reader.fail(self.spec.node("budgetingMethod"), message)

    def _sli(
        self, objective: Values, window: Window, spec: Values, reader: Reader
    ) -> tuple[Sli, Slices | None]:
        """Return the indicator as the budgeting method counts it, and its timeslices."""
        method, length = self.spec.get("budgetingMethod"), objective.get("timeSliceWindow")
        if method == "Occurrences":
            return occurrences(spec, reader, self.around), None
        if method == "Timeslices":
            slices = Slices(length=length, target=objective.get("timeSliceTarget"))
            return timeslices(spec, objective, slices, reader, self.around), slices
        if length > shortest(window):
            message = "a slice cannot be longer than the window"
            raise self.reader.fail(objective.node("timeSliceWindow"), message)
        return ratio_timeslices(spec, objective, length, reader, self.around), None

    def _window(self) -> tuple[Window, Denominator]:
        windows: Sequence[tuple[Window, Denominator]] | None = self.spec.get("timeWindow")
        if windows is None:
            return self.around.window(self.spec.node(), self.reader)
        if len(windows) != 1:
            raise self.reader.fail(self.spec.node("timeWindow"), "give exactly one window")
        return windows[0]

    def _check_method(self) -> None:
        if self.spec.get("budgetingMethod") == "Timeslices" and self.composite:
            message = (
                "a slice of a composite is bad if it misses any objective, which the counts of the"
                " objectives do not show; a composite of Occurrences or of"
                " RatioTimeslices is read"
            )
            raise self.reader.fail(self.spec.node("budgetingMethod"), message)

    def _indicator(self, objective: Values) -> tuple[Values, Reader]:
        """Return the indicator, and the reader of the file that it is in."""
        holder = objective if self.composite else self.spec
        if not self.composite and objective.given("compositeWeight"):
            message = "a weight needs objectives with indicators of their own"
            raise self.reader.fail(objective.node("compositeWeight"), message)
        given = holder.given(*_INDICATORS)
        if len(given) != 1 or (self.composite and self.spec.given(*_INDICATORS)):
            message = (
                "exactly one of indicator and indicatorRef is needed: here, or in every objective"
            )
            raise self.reader.fail(holder.node(), message)
        if given == ("indicator",):
            return holder.get("indicator"), self.reader
        name = holder.get("indicatorRef")
        document = self.around.find("openslo/v1", "SLI", name)
        if document is None:
            message = f"no SLI {name!r} is in the files that the policy reads"
            raise self.reader.fail(holder.node("indicatorRef"), message)
        return KINDS.read(document.node, document.reader)[1], document.reader

    def _check_comparison(self, objective: Values, indicator: Values) -> None:
        if indicator.given("thresholdMetric"):
            if len(objective.given(*COMPARISON)) < len(COMPARISON):
                raise self.reader.fail(objective.node(), "a thresholdMetric needs op and value")
        elif objective.given("value"):
            message = "a ratioMetric does not take op or value"
            raise self.reader.fail(objective.node("value"), message)

    def _check_slices(self, objective: Values) -> None:
        method = self.spec.get("budgetingMethod")
        needed = METHODS[method]
        for key in objective.given(*METHODS["Timeslices"]):
            if key not in needed:
                raise self.reader.fail(objective.node(key), f"{key} does not go with {method}")
        if len(objective.given(*needed)) < len(needed):
            message = f"{method} need {' and '.join(needed)}"
            raise self.reader.fail(objective.node(), message)

    def _target(self, objective: Values) -> Fraction:
        targets = objective.given("target", "targetPercent")
        if len(targets) != 1:
            message = "exactly one of target (0.999) and targetPercent (99.9) is needed"
            raise self.reader.fail(objective.node(), message)
        target: Fraction = objective.get(targets[0])
        return target
