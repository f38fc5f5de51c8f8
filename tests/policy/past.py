"""A day of a service, five minutes at a time, of which a rule knows the incidents.

1,000 requests each 5 minutes are 288,000 a day, of which 288 may fail at 99.9%.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from gate.budget.assessment import Assessment
from gate.history.explanations import SloHistory
from gate.history.incident_shares import slo_incidents, window_budget
from gate.history.incidents import bad_between
from gate.history.records import IncidentRecord, RecordStatus
from gate.measure import Unmeasured
from gate.measure.history import Series, SeriesRequest
from gate.policy.case import Case, Past, SloIncidents
from gate.policy.judge import Judgement, judge
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import RatioSlo, RollingWindow, Span
from tests.budget.building import AT, DAY, HOUR, MINUTE, counts, ratio
from tests.policy.building import policy_of

STEP: Final = 5 * MINUTE
TRAFFIC: Final = 1000
STEPS: Final = DAY // STEP
WINDOW: Final = RollingWindow(DAY)
RULE: Final = PostmortemRule(
    share=Fraction(1, 5), threshold=Fraction(6), patterns=("incidents/*.yaml",), records=()
)
"""20% of 288 are 57.6."""
NOON: Final = AT - 2 * HOUR
"""When most incidents here begin, and what is counted ends two hours later."""

Bad = Mapping[datetime, float | None]
"""How many fail in the five minutes from each of these instants on; None: not known."""


def day(bad: Bad, name: str = "availability", **fields: Any) -> tuple[Assessment, SloIncidents]:
    """Return the budget of an SLO over the day before `AT`, and its history."""
    request = SeriesRequest(sli=ratio_slo_of(name).sli, span=Span(AT - DAY, AT), step=STEP)
    failed = [bad.get(request.span.start + place * STEP, 0.0) for place in range(STEPS)]
    total = tuple(None if one is None else float(TRAFFIC) for one in failed)
    series = Series(total=total, bad=tuple(failed), query="asked")
    counted = counts(bad=sum(one or 0 for one in failed), total=TRAFFIC * STEPS)
    known = ratio(counted, name=name, **{"window": WINDOW, **fields})
    slo = known.slo
    assert isinstance(slo, RatioSlo)
    incidents = slo_incidents(slo, series, request, threshold=float(RULE.threshold))
    steps = SloHistory(request, series)
    return known, SloIncidents(
        incidents=incidents,
        budget=window_budget(slo, series, request, request.span),
        coverage=1 - Fraction(failed.count(None), STEPS),
        steps={incident.start: steps.during(incident) for incident in incidents},
        bad=bad_between(series, request, slo.window.counted(AT).start, AT),
    )


def ratio_slo_of(name: str) -> RatioSlo:
    slo = ratio(counts(bad=0, total=1), name=name).slo
    assert isinstance(slo, RatioSlo)
    return slo


def record(start: datetime, **fields: Any) -> IncidentRecord:
    """A whole, reviewed record of the hour from then on."""
    whole = IncidentRecord(
        id="INC-42",
        title="The queue ran full",
        services=("chat",),
        start=start,
        end=start + HOUR,
        status=RecordStatus.REVIEWED,
        cause="no limit",
        remediation="a limit",
        place="incidents/42.yaml:1",
    )
    return replace(whole, **fields)


def looked_back(
    change: str,
    *days: tuple[Assessment, SloIncidents | Unmeasured],
    rule: PostmortemRule = RULE,
    **fields: Any,
) -> Judgement:
    """Return the verdict of a policy with the rule on a change, after these days."""
    known = tuple(assessment for assessment, _ in days)
    policy = policy_of(known, **{"postmortems": rule, **fields})
    past = Past(incidents={assessment.slo.name: told for assessment, told in days})
    return judge(Case(policy=policy, assessments=known, change=change, at=AT, past=past))
