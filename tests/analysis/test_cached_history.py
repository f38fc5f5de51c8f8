"""A history is asked for once, whoever wants to know."""

from dataclasses import replace
from datetime import timedelta

from gate.analysis.report.requests import CachedHistory, cached_history
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.analysis.memory import AT, Memory, counts
from tests.analysis.telling import DAY, Telling
from tests.reporters.reports import STORY

FINE = SeriesRequest(
    sli=Sli(bad="outage", total="t"), span=Span(AT - DAY, AT), step=timedelta(minutes=5)
)
HOURLY = replace(FINE, step=timedelta(hours=1))
LONGER = replace(FINE, span=Span(AT - 2 * DAY, AT))


def test_what_was_told_has_the_answer_to_what_is_asked_later() -> None:
    backend = Telling(STORY)
    once = cached_history(backend)
    assert isinstance(once, CachedHistory)

    (fine,) = once.history([FINE])
    (hourly,) = once.history([HOURLY])
    (direct,) = backend.history([HOURLY])

    assert backend.asked == [FINE, HOURLY]
    assert isinstance(fine, Series)
    assert hourly == direct


def test_what_one_request_has_for_another_is_asked_in_one_round_and_once() -> None:
    backend = Telling(STORY)
    once = CachedHistory(backend, backend)

    found = once.history([FINE, HOURLY, LONGER])

    assert (backend.rounds, backend.asked) == (1, [FINE, LONGER])
    assert [len(one.total) for one in found if isinstance(one, Series)] == [288, 24, 576]


def test_what_is_not_known_yet_is_requested() -> None:
    backend = Telling(STORY)
    once = CachedHistory(backend, backend)

    once.history([FINE])
    once.history([LONGER, HOURLY])

    assert backend.asked == [FINE, LONGER]


def test_it_counts_as_its_backend_does() -> None:
    assert CachedHistory(Telling({}), Telling({})).measure([], AT) == []


def test_a_backend_without_a_history_stays_as_it_is() -> None:
    backend = Memory({"a": counts(1, 0)})

    assert cached_history(backend) is backend
