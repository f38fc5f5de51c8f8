"""An answer about an SLO that also serves another request is fetched once."""

from dataclasses import replace
from datetime import timedelta

from gate.analysis.report.requests import SloRequests, Use, each_slo
from gate.measure import Unmeasured
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.analysis.memory import AT, file, slo
from tests.analysis.telling import DAY, Telling
from tests.reporters.reports import STORY

POLICY = file("chat", slo("outage")).policy
FINE = SeriesRequest(
    sli=Sli(bad="outage", total="t"), span=Span(AT - DAY, AT), step=timedelta(minutes=5)
)
HOURLY = replace(FINE, step=timedelta(hours=1))
LONGER = replace(FINE, span=Span(AT - 2 * DAY, AT))
EVERY: SloRequests = {Use.STEPS: FINE, Use.FORECAST: HOURLY, Use.CHARTS: LONGER}


def test_all_are_asked_in_one_round_and_what_one_has_for_another_once() -> None:
    backend = Telling(STORY)

    (found,) = each_slo(backend, POLICY, {"outage": EVERY})

    assert (backend.rounds, backend.asked) == (1, [FINE, LONGER])
    assert {
        use: len(answer.total) for use, answer in found.items() if isinstance(answer, Series)
    } == {Use.STEPS: 288, Use.FORECAST: 24, Use.CHARTS: 576}
    assert found[Use.FORECAST] == Telling(STORY).history([HOURLY])[0]


def test_an_answer_about_one_slo_is_none_about_another() -> None:
    backend = Telling(STORY)

    each = list(each_slo(backend, POLICY, {"outage": EVERY, "again": {Use.STEPS: FINE}}))

    assert backend.asked == [FINE, LONGER, FINE]
    assert [len(answers) for answers in each] == [3, 1]


def test_without_a_history_all_are_unknown() -> None:
    (found,) = each_slo(None, POLICY, {"outage": EVERY})

    reasons = {answer.reason for answer in found.values() if isinstance(answer, Unmeasured)}
    assert reasons == {"the backend keeps no history to look at"}
    assert len(found) == 3
