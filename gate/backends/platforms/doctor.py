"""The checks of ``gate doctor`` for an SLO platform: its login, and each of its SLOs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, cast

from gate.backends.platforms.backend import PlatformBackend
from gate.budget.promises import difference
from gate.measure import (
    Answer,
    Cause,
    Counts,
    Definition,
    Evidence,
    Granted,
    MeasurementError,
    Share,
    Unmeasured,
)
from gate.measure.cloud_troubles import CORRECT_LOGIN
from gate.measure.coverage import Gaps
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    SkippedCheck,
    account_for,
    suspicion_results,
)
from gate.measure.remedies import remedy_of, with_advice
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import amount, percent, percent_left, share_of_bad

_EXPECTED: Final = (
    Check.DEFINITION,
    Check.COUNTED,
    Check.PARTIAL,
    Check.FRESHNESS,
    Check.COVERAGE,
    Check.NO_DATA,
)
"""The checks that each SLO needs; a skipped check has a reason."""
_SECOND: Final = timedelta(seconds=1)
_UNITS: Final = {Granted.EVENTS: "events", Granted.SECONDS: "seconds"}


class PlatformDoctor:
    """Examines the platform itself, looks up each SLO, and measures it like for a budget."""

    def __init__(self, backend: PlatformBackend) -> None:
        """Prepare; nothing is requested yet."""
        self._backend = backend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; never raises for a failure of the platform."""
        platform = self._backend.platform
        platform.begin()
        try:
            whole = tuple(platform.examine())
        except MeasurementError as error:
            whole = (_failure(Check.REACH, error.answer()),)
        if any(r.check is Check.REACH and r.level is Level.FAULT for r in whole):
            return Diagnosis(backend=whole, slos=((),) * len(slos))
        definitions = self._backend.definitions([slo.request.sli for slo in slos])
        answers = self._backend.measure([slo.request for slo in slos], at)
        outcomes = [
            account_for(
                _EXPECTED,
                tuple(_of_slo(slo, definition, answer, at)),
                tuple(_not_looked_at(platform.title, definition, answer)),
            )
            for slo, definition, answer in zip(slos, definitions, answers, strict=True)
        ]
        return Diagnosis(
            backend=whole,
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
        )


def _of_slo(
    slo: CheckedSlo, definition: Definition | Unmeasured, answer: Answer, at: datetime
) -> Iterator[CheckResult]:
    """Yield the results for an SLO: its definition, and its answer."""
    if isinstance(definition, Unmeasured):
        yield _failure(_check_of(definition, Check.DEFINITION), definition)
        return
    yield _compared(slo, definition, at)
    if definition.no_data:
        yield CheckResult(check=Check.NO_DATA, message=definition.no_data)
    if isinstance(answer, Unmeasured):
        yield _failure(_check_of(answer, Check.COUNTED), answer)
        return
    evidence = answer.evidence
    # A platform has no spend: it has no allowances.
    counts = _counted(cast("Counts | Share", answer), definition.granted)
    counted = "; ".join((counts, *evidence.notes))
    yield CheckResult(check=Check.COUNTED, message=counted, examined=evidence.query)
    yield from suspicion_results(answer)
    yield _whole(evidence)
    if evidence.newest is not None:
        yield _fresh(slo, evidence.newest, at)
    if evidence.coverage is not None:
        yield _covered(slo, evidence.coverage, evidence.gaps)


def _not_looked_at(
    title: str, definition: Definition | Unmeasured, answer: Answer
) -> Iterator[SkippedCheck]:
    """Yield the facts that a platform does not report about a defined and measured SLO."""
    if isinstance(definition, Definition) and not definition.no_data:
        reason = f"{title} does not say how it counts time without data"
        yield SkippedCheck(check=Check.NO_DATA, reason=reason)
    if isinstance(answer, Unmeasured):
        return
    if answer.evidence.newest is None:
        reason = f"{title} does not say how new the data of its answer are"
        yield SkippedCheck(check=Check.FRESHNESS, reason=reason)
    if answer.evidence.coverage is None:
        reason = f"{title} does not say how much of the window has data"
        yield SkippedCheck(check=Check.COVERAGE, reason=reason)


def _check_of(answer: Unmeasured, otherwise: Check) -> Check:
    """Return the check that a missing answer belongs to."""
    return Check.REACH if answer.cause is Cause.BACKEND_ERROR else otherwise


def _failure(check: Check, answer: Unmeasured) -> CheckResult:
    reachable = answer.cause is not Cause.BACKEND_ERROR
    advice = remedy_of(answer.cause).hint if reachable else CORRECT_LOGIN
    reason, remedy = with_advice(answer.reason, advice)
    return CheckResult(
        check=check,
        level=Level.FAULT,
        message=reason,
        remedy=remedy,
        examined=answer.query or "",
    )


def _compared(slo: CheckedSlo, definition: Definition, at: datetime) -> CheckResult:
    """Report the platform's promise, and whether it equals the policy's."""
    promises = " and ".join(f"{percent(p.objective)} over {p.window}" for p in definition.promises)
    own_name = f'{definition.platform} has "{definition.name}"'
    message = f"{own_name} ({definition.id}) with {promises}"
    if slo.window is None or slo.objective is None:
        return CheckResult(check=Check.DEFINITION, message=message)
    own = RatioSlo(name=slo.name, window=slo.window, sli=slo.request.sli, objective=slo.objective)
    differs = difference(own, definition, at)
    if differs is None:
        return CheckResult(check=Check.DEFINITION, message=message)
    reason, remedy = with_advice(differs, "")
    return CheckResult(check=Check.DEFINITION, level=Level.FAULT, message=reason, remedy=remedy)


def _counted(answer: Counts | Share, granted: Granted) -> str:
    if isinstance(answer, Share):
        return f"of all {_UNITS[granted]} {share_of_bad(answer.bad, answer.error)}"
    return f"{amount(answer.bad)} bad of {amount(answer.total)} {_UNITS[granted]}"


def _whole(evidence: Evidence) -> CheckResult:
    """Report whether a part of the answer is missing."""
    if not evidence.warnings:
        return CheckResult(check=Check.PARTIAL, examined=evidence.query)
    return CheckResult(
        check=Check.PARTIAL,
        level=Level.FAULT,
        message="; ".join(evidence.warnings),
        remedy=remedy_of(Cause.PARTIAL).hint,
        examined=evidence.query,
    )


def _fresh(slo: CheckedSlo, newest: datetime, at: datetime) -> CheckResult:
    age = format_duration(max((at - newest) // _SECOND * _SECOND, timedelta()))
    if at - newest <= slo.max_age:
        return CheckResult(check=Check.FRESHNESS, message=f"the answer is {age} old")
    limit = format_duration(slo.max_age)
    return CheckResult(
        check=Check.FRESHNESS,
        level=Level.FAULT,
        message=f"the answer is {age} old; the policy's max_age is {limit}",
        remedy="see on the platform's own page whether the SLO gets data; set max_age where data"
        " always arrives late",
    )


def _covered(slo: CheckedSlo, share: Fraction, gaps: Gaps | None) -> CheckResult:
    message = f"{percent_left(share)} of the window has data"
    if gaps is not None and gaps.longest is not None:
        message += f"; the longest gap is {format_duration(gaps.longest.length)}"
    if share >= slo.min_coverage:
        return CheckResult(check=Check.COVERAGE, message=message)
    return CheckResult(
        check=Check.COVERAGE,
        level=Level.DOUBT,
        message=f"{message}; the policy's min_coverage is {percent_left(slo.min_coverage)}",
        remedy="wait until the window is filled, or choose a shorter window",
    )
