"""Series whose steps hang on the clock: what is asked once, again, and for the newest part."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus import series
from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, RATIO, PlayedSteps, backend, failure

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def request_until(end: datetime, hours: int = 3, **more: object) -> SeriesRequest:
    given = {"sli": RATIO, "step": HOUR, "span": Span(AT - hours * HOUR, end), **more}
    return SeriesRequest(**given)  # type: ignore[arg-type]  # each test knows its request


def ask(*requests: SeriesRequest) -> list[SeriesAnswer]:
    history = history_of(backend())
    assert history is not None
    return history.history(requests)


def told(answer: SeriesAnswer) -> Series:
    assert isinstance(answer, Series), answer
    return answer


def test_what_has_passed_of_the_newest_step_is_asked_at_its_end(played: PlayedSteps) -> None:
    played.points = {"resets": [], "500": ["1", "0", "2"], "last_over": ["9", "5", "7"]}
    played.numbers = {'500"}[1199999ms]': "3", "last_over_time(x[1199999ms]": "4"}
    end = AT + 20 * MINUTE

    found = told(ask(request_until(end))[0])

    assert (found.total, found.bad) == ((9.0, 5.0, 7.0, 4.0), (1.0, 0.0, 2.0, 3.0))
    assert [float(form["time"]) for form in played.instants] == [end.timestamp()]
    (ranged,) = played.ranges
    # Whether a counter restarted in the newest step is known by all of it.
    assert float(ranged["end"]) == (AT + HOUR).timestamp()


def test_a_step_that_has_not_passed_yet_is_requested_alone(played: PlayedSteps) -> None:
    played.points, played.numbers = {"resets": []}, {"500": "1", "last_over": "4"}

    found = told(ask(request_until(AT + 20 * MINUTE, 0))[0])

    assert (found.total, found.bad) == ((4.0,), (1.0,))


def test_no_newest_part_is_requested_that_is_shorter_than_promql_knows(
    played: PlayedSteps,
) -> None:
    played.points = {"resets": [], "500": ["1", "0", "2"], "last_over": ["9", "5", "7"]}

    found = told(ask(request_until(AT + timedelta(milliseconds=1)))[0])

    assert found.total == (9.0, 5.0, 7.0, None)
    assert played.instants == []


def test_series_of_one_indicator_share_the_steps_that_they_have_in_common(
    played: PlayedSteps,
) -> None:
    played.points = {"resets": [], "500": ["0"] * 4, "last_over": ["9", "5", "7", "8"]}
    played.numbers = {"offset 2400s": "4", "x[599999ms]": "2"}
    ends = (AT - 30 * MINUTE, AT + 10 * MINUTE)

    first, second = map(told, ask(*map(request_until, ends)))

    assert first.total == (9.0, 5.0, 4.0)
    assert second.total == (9.0, 5.0, 7.0, 2.0)
    assert (len(played.ranges), len(played.instants)) == (1, 1)


def test_series_that_lie_apart_are_requested_apart(played: PlayedSteps) -> None:
    played.points = {"resets": [], "500": ["0", "0"], "last_over": ["9", "5"]}
    week_ago = Span(AT - timedelta(days=7), AT - timedelta(days=7) + 2 * HOUR)

    answers = ask(request_until(AT, 2), request_until(AT, span=week_ago))

    assert [told(answer).total for answer in answers] == [(9.0, 5.0), (9.0, 5.0)]
    starts = {float(form["start"]) for form in played.ranges}
    assert starts == {(AT - HOUR).timestamp(), (week_ago.start + HOUR).timestamp()}


@pytest.mark.parametrize(("late", "finely"), [(MINUTE * 20, "5s"), (timedelta(seconds=61), "1s")])
def test_a_step_in_which_a_counter_restarted_is_examined_in_pieces(
    played: PlayedSteps, late: timedelta, finely: str
) -> None:
    played.points = {"resets": [None, "1", None, "1"], "500": ["0"] * 4, "last_over": ["9"] * 4}
    played.numbers = {
        '500"}[4999ms]': "1",
        '500"}[999ms]': "1",
        "x[4999ms]": "30",
        "x[999ms]": "31",
        "last_over": "5",
    }

    found = told(ask(request_until(AT + late))[0])

    newest = 30.0 if finely == "5s" else 31.0
    assert (found.total, found.bad[1]) == ((9.0, 30.0, 9.0, newest), 1.0)
    again = played.instants[-1]["query"]
    assert f"[3599999ms:5s] offset {late // timedelta(seconds=1) + 3600}s)" in again
    assert f":{finely}])" in again
    assert found.notes == ()


def test_of_many_restarts_the_newest_are_examined_again(
    played: PlayedSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "_MOST_RESTARTS", 1)
    played.points = {"resets": ["1", "1", None], "500": ["0"] * 3, "last_over": ["9"] * 3}
    played.numbers = {"500": "0", "x[": "30"}

    found = told(ask(request_until(AT))[0])

    assert found.total == (9.0, 30.0, 9.0)
    assert "counters restarted in more than" in found.notes[0]


def test_the_first_step_after_a_long_gap_looks_back_over_it(played: PlayedSteps) -> None:
    gap = ["9", *[None] * 8, "7", None, "6"]
    played.points = {
        "resets": [],
        "500": ["0" if point else None for point in gap],
        "last_over": gap,
    }
    played.numbers = {"500": "12", "x[": "700"}

    found = told(ask(request_until(AT, 12))[0])

    assert (found.total[9], found.bad[9], found.total[11]) == (700.0, 12.0, 6.0)
    # From the beginning of the series to that of the step.
    assert "last_over_time(x[32400s] offset 10800s)" in played.instants[0]["query"]


def test_a_server_that_names_its_host_is_a_victoria_metrics(played: PlayedSteps) -> None:
    played.headers = {"X-Server-Hostname": "vm-1"}
    played.points = {"increase(x[": ["9", "5", "7"], 'increase(x{code="500"}[': ["1", "0", "2"]}

    found = told(ask(request_until(AT))[0])

    assert (found.total, found.bad) == ((9.0, 5.0, 7.0), (1.0, 0.0, 2.0))
    assert "increase(x[3600s])" in played.ranges[-1]["query"]


def test_that_a_server_did_not_tell_restarts_is_reported(played: PlayedSteps) -> None:
    played.points = {"last_over": ["9", "5", "7"]}
    played.refuse = lambda query: (
        (500, {}, failure("internal", "broken")) if "resets" in query else None
    )

    (found,) = ask(request_until(AT))

    assert isinstance(found, Unmeasured)
    assert found.cause is Cause.BACKEND_ERROR


def test_what_a_function_estimates_is_reported_to_be_estimated(played: PlayedSteps) -> None:
    played.points = {"delta(b": ["1", "0", "2"], "delta(x": ["9", "5", "7"]}
    sli = Sli(bad="sum(delta(b[$window]))", total="sum(delta(x[$window]))")

    found = told(ask(request_until(AT, sli=sli))[0])

    assert found.total == (9.0, 5.0, 7.0)
    assert "the server estimates what happened in a step" in found.notes[-1]


def test_what_was_spent_is_reported_by_step(played: PlayedSteps) -> None:
    played.points = {"resets": [], "last_over": ["9.5", None, "7"]}

    found = told(ask(request_until(AT, sli=Sli(spent="x"), amount=True))[0])

    assert found.total == found.bad == (9.5, None, 7.0)


@pytest.mark.parametrize(
    ("sli", "amount", "reason"),
    [
        (Sli(spent="x"), False, "an amount, not a number of events"),
        (RATIO, True, "nothing that is spent"),
    ],
)
def test_an_amount_is_not_a_number_of_events(
    played: PlayedSteps, sli: Sli, amount: bool, reason: str
) -> None:
    (found,) = ask(request_until(AT, sli=sli, amount=amount))

    assert isinstance(found, Unmeasured)
    assert (found.cause, reason in found.reason) == (Cause.INVALID, True)
    assert played.ranges == []


@pytest.mark.parametrize(
    ("empty", "total", "bad"),
    [
        (EmptySlice.LEFT_OUT, (3.0, 1.0, None), (1.0, 0.0, None)),
        (EmptySlice.GOOD, (3.0, 3.0, None), (1.0, 0.0, None)),
        (EmptySlice.BAD, (3.0, 3.0, None), (1.0, 2.0, None)),
    ],
)
def test_slices_are_reported_in_the_step_in_which_they_end(
    played: PlayedSteps, empty: EmptySlice, total: object, bad: object
) -> None:
    # Of slices of 20 minutes; in the third hour one cannot be judged.
    played.points = {
        "> bool 0.1": ["1", None, "1"],
        "> bool 0": ["3", "1", "3"],
        "<= 1": ["3", "1", "2"],
    }
    slices = Slices(length=20 * MINUTE, target=Fraction("0.9"), empty=empty)

    found = told(ask(request_until(AT, slices=slices))[0])

    assert (found.total, found.bad) == (total, bad)


def test_of_a_step_without_data_no_slices_are_known(played: PlayedSteps) -> None:
    played.points = {}
    slices = Slices(length=HOUR, target=Fraction("0.9"), empty=EmptySlice.LEFT_OUT)

    nothing = told(ask(request_until(AT + MINUTE, slices=slices))[0])
    played.points = {"> bool 0)": ["1"], "<= 1": ["1"]}
    some = told(ask(request_until(AT + MINUTE, slices=slices))[0])

    assert nothing.total == (None, None, None, None)
    # In the newest step no slice has ended yet.
    assert some.total == (1.0, None, None, 0.0)
