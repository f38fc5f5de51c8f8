"""Many series: a few are asked for together, and what came back for them is not kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gate.backends.prometheus import query, series_batches
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import BatchedHistory, each_answer
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, PlayedSteps, backend
from tests.backends.prometheus.test_failures import FakeClock

HOUR = timedelta(hours=1)
NAMES = "abcde"


def request_of(name: str, hours: int = 3) -> SeriesRequest:
    """Ask for the failures of a service of this name, among the events of all."""
    sli = Sli(bad=f'x{{service="{name}"}}', total="x")
    return SeriesRequest(sli=sli, span=Span(AT - hours * HOUR, AT), step=HOUR)


@pytest.fixture
def played(played: PlayedSteps) -> PlayedSteps:
    """Return a server on which each service has as many failures as its letter has a place."""
    failures = {f'"{name}"': [str(place), "0", None] for place, name in enumerate(NAMES)}
    played.points = {"resets": [], **failures, "last_over": ["90", "50", "70"]}
    return played


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[Fetch]:
    """Let two series of three steps be a batch; return what asks for them, once it does."""
    fetches = list[Fetch]()
    each_series = series_batches.each_series

    def watched(
        requests: list[SeriesRequest], fetch: Fetch, *others: object
    ) -> Iterator[SeriesAnswer]:
        fetches.append(fetch)
        return each_series(requests, fetch, *others)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(series_batches, "STEPS", 6)
    monkeypatch.setattr(series_batches, "each_series", watched)
    return fetches


def answers_of(*requests: SeriesRequest) -> Iterator[SeriesAnswer]:
    history = backend()
    assert isinstance(history, BatchedHistory)
    return each_answer(history, requests)  # type: ignore[arg-type]  # it has a history, too


def grids(fetch: Fetch) -> set[Query]:
    """Return the questions about all steps of which the answers are kept."""
    return {part for part in fetch._cuts.readings if part.grid is not None}


def test_a_batch_is_requested_when_the_ones_before_were_used(
    played: PlayedSteps, fetches: list[Fetch]
) -> None:
    asked_for = []
    for answer in answers_of(*map(request_of, NAMES)):
        assert isinstance(answer, Series)
        assert answer.total == (90.0, 50.0, 70.0)
        sent = "".join(form["query"] for form in played.ranges)
        asked_for.append("".join(name for name in NAMES if f'"{name}"' in sent))

    assert asked_for == ["ab", "ab", "abcd", "abcd", "abcde"]
    assert len(fetches) == 1


def test_of_earlier_batches_only_that_is_kept_which_is_part_of_later_ones(
    played: PlayedSteps, fetches: list[Fetch]
) -> None:
    kept = []
    for _ in answers_of(*map(request_of, NAMES)):
        texts = " ".join(part.text for part in grids(fetches[0]))
        kept.append("".join(name for name in NAMES if f'"{name}"' in texts))

    assert kept == ["ab", "ab", "cd", "cd", "e"]
    assert grids(fetches[0]) == set()
    # All events, in which all five have a part, are asked for once.
    assert sum("last_over_time(x[" in form["query"] for form in played.ranges) == 1


@pytest.mark.usefixtures("played", "fetches")
def test_batches_have_the_answers_of_all_at_once() -> None:
    requests = [*map(request_of, NAMES), request_of("a", 2), request_of("e", 30)]
    both = backend()

    assert isinstance(both, BatchedHistory)
    assert list(both.each_history(requests)) == both.history(requests)  # type: ignore[attr-defined]


def test_what_is_asked_again_in_a_batch_is_forgotten_with_it(
    played: PlayedSteps, fetches: list[Fetch]
) -> None:
    played.points = {**played.points, "resets": [None, "1", None]}
    played.numbers = {"x": "5"}

    for _ in answers_of(*map(request_of, NAMES)):
        pass

    assert played.instants
    assert not [part for part in fetches[0]._cuts.readings if part.offset]


@pytest.mark.usefixtures("played", "fetches")
def test_an_expression_that_cannot_be_asked_leaves_the_others_their_answers() -> None:
    spent = SeriesRequest(sli=Sli(spent="x"), span=Span(AT - 3 * HOUR, AT), step=HOUR)

    first, second, third = answers_of(spent, *map(request_of, "ab"))

    assert isinstance(first, Unmeasured)
    assert first.cause is Cause.INVALID
    assert all(isinstance(answer, Series) for answer in (second, third))


@pytest.mark.usefixtures("played")
def test_pieces_are_forgotten_with_the_whole(
    fetches: list[Fetch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "_MOST_INSTANTS", 2)

    cut = []
    for answer in answers_of(*map(request_of, NAMES)):
        assert isinstance(answer, Series)
        assert len(answer.total) == 3
        cut.append(len(fetches[0]._cuts.pieces))

    assert all(cut)
    assert fetches[0]._cuts.pieces == {}
    assert grids(fetches[0]) == set()


@pytest.mark.usefixtures("played")
def test_the_time_between_two_answers_is_not_counted_towards_the_limit(
    fetches: list[Fetch],
) -> None:
    ends = [fetches[0].until for _ in answers_of(*map(request_of, NAMES))]

    assert ends == sorted(set(ends))


def test_a_time_limit_ends_later_by_as_long_as_nothing_is_waited_for() -> None:
    clock = FakeClock()
    client = Client(PrometheusSettings(url="https://x.example"), clock.clock)
    fetch = Fetch(client=client, at=AT, until=10.0, parallel=1)

    with fetch.at_rest():
        clock.slept.append(60.0)

    assert fetch.until == 70.0
