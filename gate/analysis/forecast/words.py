"""What is foretold of budgets, in words and cells that are not yet escaped for any format."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from gate import wording
from gate.analysis.forecast.result import Course, ForecastReport, ServiceForecast, SloForecast
from gate.budget.assessment import Doubt
from gate.history.calendar_forecast import Expected
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact, forecast_sentence
from gate.slo.objective import CompositeSlo
from gate.slo.quantities import format_duration
from gate.slo.window import RollingWindow
from gate.wording import describe_time

_NO: Final = "no"


_RUNS: Final = 100
"""Futures that shares are told of."""


_NEARLY_ALL: Final = 0.95
"""The share of the futures in which a budget lasts that is taken for lasting."""


def verdict(service: ServiceForecast) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals what is foretold."""
    slos = service.slos
    lost = sum(one.unmeasured is not None for one in slos)
    beside = f", {lost} NOT KNOWN" if lost else ""
    if any(one.gone for one in slos):
        return Verdict.BLOCK, f"EXHAUSTED{beside}"
    if any(_running_out(one) for one in slos):
        return Verdict.WARN, f"RUNNING OUT{beside}"
    if lost:
        return Verdict.UNDECIDED, f"{lost} NOT KNOWN"
    if any(one.expected and one.expected.lasting < _NEARLY_ALL for one in slos):
        return Verdict.WARN, "MAY RUN OUT"
    return Verdict.ALLOW, "LASTING"


def heading(one: SloForecast) -> str:
    """Say what is left now, and what that means."""
    if one.tier is None:
        return "not known"
    left = f"{wording.left(one.assessment.compared)} left"
    slo = one.assessment.slo
    window = "" if isinstance(slo, CompositeSlo) else f" of {slo.window}"
    return f"{left}{window}, tier {one.tier.name}"


def columns(one: SloForecast) -> tuple[Column[Course], ...]:
    """Return the columns of an SLO's table: the rate, when it runs out, when it is back."""
    return (
        Column(title="If", cell=_if, right=False, keep=MUST),
        Column(title="Burn", cell=lambda course: wording.burn(course.burn), keep=MUST),
        Column(title="Runs out, UTC", cell=lambda c: _runs_out(one, c), right=False, keep=MUST),
        *(_back(tier) for tier in one.courses[0].back),
        *([_LEFT] if one.courses[0].left_at_reset is not None else []),
    )


def about(one: SloForecast) -> Iterator[Fact]:
    """Yield what the table does not say: the reset, what it is made of, what is not known."""
    known = one.assessment
    if known.remaining is not None and known.compared != known.remaining:
        yield (
            "Compared",
            f"what the tiers are held against; {wording.left(known.remaining)} measured",
        )
    if one.expected is not None:
        yield "At the reset", _expected(one.expected)
    if one.unmeasured is not None:
        yield "Not measured", f"{cause(one.unmeasured.cause)}: {one.unmeasured.reason}"
    if one.why_not is not None:
        yield "Less is known", one.why_not
    if not one.courses and known.forecast is not None and known.remaining is not None:
        simple = forecast_sentence(known.forecast, known.remaining)
        yield "By division", f"{simple}{_rolling(one)}"
    if one.unknown:
        yield "Unknown", f"{wording.spent(one.unknown)} of the history has no data"
    yield from (("In doubt", f"{cause(d.cause)}: {d.reason}") for d in _doubts(one))
    yield from (("Note", note) for note in one.notes)


def origin(service: ServiceForecast) -> list[Fact]:
    """Return which text of the policy was read."""
    return [("Policy", summary.provenance(service.source))]


def closing(report: ForecastReport) -> Iterator[Fact]:
    """Yield when and by what it was foretold."""
    yield "Evaluated", wording.exact_instant(report.evaluated_at)
    yield "By", f"gate {report.tool_version}"


def _running_out(one: SloForecast) -> bool:
    """Return whether it runs out at the present rate, the shortest that is known."""
    rates = [course for course in one.courses if course.rate_of is not None]
    return bool(rates) and rates[0].exhausted_at is not None


def _doubts(one: SloForecast) -> tuple[Doubt, ...]:
    return one.assessment.doubts if one.assessment.measured else ()


def _if(course: Course) -> str:
    if course.rate_of is None:
        return "nothing more fails"
    return f"as in the last {format_duration(course.rate_of)}"


def _runs_out(one: SloForecast, course: Course) -> str:
    if one.gone:
        return "gone already"
    return _minute(course.exhausted_at)


def _back(tier: str) -> Column[Course]:
    def cell(course: Course) -> str:
        return _minute(course.back[tier])

    return Column(title=f"Back in {tier}, UTC", cell=cell, right=False, keep=5)


def _minute(at: datetime | None) -> str:
    return _NO if at is None else wording.instant(at).removesuffix(" UTC")


def _expected(drawn: Expected) -> str:
    low, high, middle = (_left(share) for share in (drawn.low, drawn.high, drawn.median))
    length = describe_time(drawn.history_length)
    return (
        f"{low} to {high} is left in 9 of 10 futures like the last {length},"
        f" {middle} in the middle one; {_lasting(drawn.lasting)}"
    )


def _lasting(share: float) -> str:
    count = int(share * _RUNS)
    return f"it lasts in {count} of {_RUNS}"


def _left(share: float) -> str:
    return wording.left(wording.shown(share))


def _rolling(one: SloForecast) -> str:
    slo = one.assessment.slo
    if isinstance(slo, CompositeSlo) or not isinstance(slo.window, RollingWindow):
        return ""
    return "; that old failures leave the window is not counted"


_LEFT: Final[Column[Course]] = Column(
    title="Left at reset", cell=lambda course: wording.left(course.left_at_reset), keep=MUST
)
