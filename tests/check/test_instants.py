"""Checks at many instants of the past: what several policies need of an instant is asked once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.check.instants import run_checks
from gate.measure import Answer, Backend, CountRequest, Counts, Evidence
from gate.measure.capabilities import HistoryBackend
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ERRORS, SLOW = Sli(bad="errors", total="all"), Sli(bad="slow", total="all", labels={"job": "a"})
LENGTHS = {ERRORS.bad: 3, SLOW.bad: 5}


class Asked:
    """A backend that counts an hour's failures by their name, and keeps what it was asked."""

    def __init__(self) -> None:
        self.runs: list[tuple[datetime, list[CountRequest]]] = []

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        self.runs.append((at, list(requests)))
        evidence = Evidence(query="asked")
        return [
            Counts(
                total=Fraction(at.hour),
                bad=Fraction(LENGTHS[request.sli.bad]),
                evidence=evidence,
            )
            for request in requests
        ]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        raise AssertionError(requests)


def request(sli: Sli, at: datetime, *, probe: bool = False) -> CountRequest:
    return CountRequest(sli=sli, span=Span(at - HOUR, at), probe=probe)


def check(backend: Backend, moment: tuple[tuple[Sli, ...], datetime]) -> list[tuple[int, int]]:
    """Ask for each indicator at the instant, and return the hour and what failed."""
    slis, at = moment
    answers = backend.measure([request(sli, at) for sli in slis], at)
    return [(int(a.total), int(a.bad)) for a in answers if isinstance(a, Counts)]


def test_the_same_request_at_an_instant_is_asked_once_and_answers_every_check() -> None:
    asked = Asked()
    instants = [AT, AT + HOUR]
    moments = [(slis, at) for at in instants for slis in ((ERRORS, SLOW), (SLOW,), (SLOW, ERRORS))]
    history: HistoryBackend = asked

    checked = run_checks(asked, history, moments, check)

    assert checked == [
        answer
        for hour in (14, 15)
        for answer in ([(hour, 3), (hour, 5)], [(hour, 5)], [(hour, 5), (hour, 3)])
    ]
    assert [at for at, _ in asked.runs] == instants
    assert [[r.sli for r in requests] for _, requests in asked.runs] == [[ERRORS, SLOW]] * 2


def test_requests_that_differ_in_anything_are_asked_each() -> None:
    asked = Asked()

    def probing(backend: Backend, probe: bool) -> int:
        return len(backend.measure([request(ERRORS, AT, probe=probe)], AT))

    assert run_checks(asked, asked, [False, True, False], probing) == [1, 1, 1]
    ((_, requests),) = asked.runs
    assert [r.probe for r in requests] == [False, True]
