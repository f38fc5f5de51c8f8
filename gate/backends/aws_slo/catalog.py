"""The SLOs of Application Signals: found by name or ARN, with their definitions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from gate.backends.aws_slo.client import ARN, MOST_REPORTS, ApplicationSignals, invalid
from gate.backends.aws_slo.definitions import definition_of, instant
from gate.backends.platforms.messages import ApiError, JsonObject
from gate.backends.platforms.platform import no_slo, several_slos
from gate.measure import Cause, Definition, MeasurementError, Unmeasured
from gate.slo.objective import Span

_MISSING: Final = "ResourceNotFoundException"
_FEW: Final = 10
"""The maximum number of SLOs that are requested one by one. AWS allows 5 such requests per second,
and 10 for reports, each of which includes the definitions of 50 SLOs."""


class SignalsCatalog:
    """Looks up SLOs, and remembers their creation times."""

    def __init__(self, service: ApplicationSignals) -> None:
        """Prepare; nothing is requested yet."""
        self._service = service
        self._created: dict[str, datetime] = {}
        self._changed: dict[str, datetime] = {}

    def define(self, names: Sequence[str]) -> list[Definition | Unmeasured]:
        """Return the definition of each name or ARN, in order, or why it was not measured.

        Raises:
            MeasurementError: no request was possible.
        """
        arns = self._arns(names)
        wanted = list(dict.fromkeys(arn for arn in arns.values() if isinstance(arn, str)))
        reported = self._reported(wanted) if len(wanted) > _FEW else {}
        # Reports do not have the creation time of an SLO, and so the covered share of its window.
        rest = [arn for arn in wanted if arn not in reported or arn not in self._created]
        single = zip(rest, self._service.slos(rest), strict=True)
        definitions = reported | {arn: self._definition(arn, slo) for arn, slo in single}
        return [
            arn if isinstance(arn, Unmeasured) else self._named(name, definitions[arn])
            for name, arn in ((name, arns[name]) for name in names)
        ]

    def _named(self, name: str, definition: Definition | Unmeasured) -> Definition | Unmeasured:
        """Check that an SLO that was listed under a name also has this name in its definition."""
        if isinstance(definition, Unmeasured) or ARN.fullmatch(name) or definition.name == name:
            return definition
        reason = f"{definition.id} is listed as {name}, and defined as {definition.name}"
        return Unmeasured(cause=Cause.INVALID, reason=f"{self._service.shown}: {reason}")

    def _arns(self, names: Sequence[str]) -> dict[str, str | Unmeasured]:
        """Return the ARN of each SLO: names are unique in an account and region."""
        arns: dict[str, str | Unmeasured] = {
            name: self._own(match) for name in names if (match := ARN.fullmatch(name))
        }
        if len(arns) == len(set(names)) and len(arns) <= _FEW:
            return arns
        try:
            arns_by_name = self._listed()
        except ApiError:
            if len(arns) < len(set(names)):
                raise
            return arns  # the list would only have the creation times
        return arns | {name: _only(name, arns_by_name) for name in names if name not in arns}

    def _listed(self) -> dict[str, list[str]]:
        """Return the ARNs of each name."""
        arns_by_name = dict[str, list[str]]()
        for summary in self._service.summaries():
            arn = str(summary.get("Arn"))
            arns_by_name.setdefault(str(summary.get("Name")), []).append(arn)
            if summary.get("CreatedTime") is not None:
                self._created[arn] = instant(summary, "CreatedTime")
        return arns_by_name

    def _own(self, arn: re.Match[str]) -> str | Unmeasured:
        region = arn[1]
        if region == self._service.region:
            return arn[0]
        reason = (
            f"{arn[0]} is an SLO of {region}, and the backend asks {self._service.region}; give"
            " region the same, or use a second backend"
        )
        return Unmeasured(cause=Cause.INVALID, reason=reason)

    def _definition(self, arn: str, answer: JsonObject | ApiError) -> Definition | Unmeasured:
        if isinstance(answer, ApiError):
            if answer.kind != _MISSING:
                return answer.answer()
            return no_slo(self._service.shown, arn, ()).answer()
        try:
            slo = answer.get("Slo")
            if not isinstance(slo, dict) or slo.get("Arn") != arn:
                raise invalid(f"{self._service.shown}: the answer is not about {arn}")
            self._created[arn] = instant(slo, "CreatedTime")
            self._changed[arn] = instant(slo, "LastUpdatedTime")
            return definition_of(slo)
        except MeasurementError as error:
            return error.answer()

    def _reported(self, arns: Sequence[str]) -> dict[str, Definition | Unmeasured]:
        """Return the definitions in current budget reports; an SLO may be missing."""
        batches = [arns[i : i + MOST_REPORTS] for i in range(0, len(arns), MOST_REPORTS)]
        definitions = dict[str, Definition | Unmeasured]()
        for answer in self._service.reports(batches, self._service.api.clock.now()):
            reports: Any = () if isinstance(answer, ApiError) else answer.get("Reports")
            for report in reports if isinstance(reports, list) else ():
                if isinstance(report, dict) and isinstance(report.get("Goal"), dict):
                    definitions |= _of_report(report)
        return definitions

    def coverage(self, arn: str, span: Span) -> Fraction | None:
        """Return the share of a window since the SLO was created; None: all of it, or unknown."""
        created = self._created.get(arn)
        if created is None or created <= span.start:
            return None
        age = max((span.end - created).total_seconds(), 0.0)
        return Fraction(age) / Fraction(span.length.total_seconds())

    def change(self, arn: str, span: Span) -> Iterator[str]:
        """Yield a note if the SLO was changed within a window."""
        changed = self._changed.get(arn, span.start)
        if max(self._created.get(arn, span.start), span.start) < changed <= span.end:
            yield (
                f"the SLO was changed at {changed:%Y-%m-%d %H:%M} UTC; where that was its period or"
                " its threshold, nothing before it counts"
            )


def _of_report(report: JsonObject) -> dict[str, Definition | Unmeasured]:
    """Return the definition in a report, by its ARN."""
    try:
        return {str(report.get("Arn")): definition_of(report)}
    except MeasurementError as error:
        return {str(report.get("Arn")): error.answer()}


def _only(name: str, arns_by_name: Mapping[str, Sequence[str]]) -> str | Unmeasured:
    """Return the ARN of the only SLO with a name."""
    arns = list(dict.fromkeys(arns_by_name.get(name, ())))
    if len(arns) == 1:
        return arns[0]
    if arns:
        return several_slos("Application Signals", name, arns).answer()
    return no_slo("Application Signals", name, arns_by_name).answer()
