"""The backend of every platform: what it looks up, what it asks, and which answers it gives."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gate.backends.platforms.backend import PlatformBackend, PlatformHistoryBackend
from gate.backends.platforms.platform import PlatformHistory
from gate.measure import Cause, Counts, Definition, Granted, Unmeasured
from gate.measure.capabilities import DefiningBackend, history_of
from gate.measure.history import Series, SeriesRequest
from gate.measure.remedies import advice_in
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.platforms.played import (
    AT,
    NOT_THERE,
    UNREACHABLE,
    Played,
    counts,
    defined,
    request,
)

ADVISED = replace(
    NOT_THERE,
    reason=f"{NOT_THERE.reason}; correct sli.slo, which is the exact name or the id of an SLO of"
    " the platform",
)


def test_a_definition_is_asked_once_a_run_and_for_each_indicator_once() -> None:
    platform = Played({"a": counts(), "b": counts()})
    backend = PlatformBackend(platform)

    backend.definitions([Sli(slo="a"), Sli(slo="b"), Sli(slo="a")])
    backend.definitions([Sli(slo="b")])
    backend.measure([request("a"), request("b")], AT)
    backend.definitions([Sli(slo="a", group="eu")])

    defining = [names for method, names in platform.asked if method == "define"]
    assert defining == [("a", "b"), ("a",)]


def test_what_is_not_defined_is_asked_again_since_it_may_be_there_by_then() -> None:
    platform = Played({}, definitions={"a": NOT_THERE})
    backend = PlatformBackend(platform)

    assert backend.definitions([Sli(slo="a")]) == [ADVISED]
    platform.definitions = {}
    assert backend.definitions([Sli(slo="a")]) == [defined("a")]


def test_what_could_not_be_looked_up_is_asked_again_and_takes_nothing_else_along() -> None:
    platform = Played({"a": counts()})
    backend = PlatformBackend(platform)
    backend.definitions([Sli(slo="a")])
    platform.cannot = {"define"}

    known, unknown = backend.definitions([Sli(slo="a"), Sli(slo="b")])
    platform.cannot = set()

    assert known == defined("a")
    assert unknown == UNREACHABLE.answer()
    assert backend.definitions([Sli(slo="b")]) == [defined("b")]


def test_answers_come_in_the_order_of_the_requests_with_each_reason_in_its_place() -> None:
    low = Unmeasured(cause=Cause.NO_TRAFFIC, reason="the denominator is 0")
    platform = Played({"a": counts(1), "c": low, "d": counts(4)}, definitions={"b": NOT_THERE})

    answers = PlatformBackend(platform).measure([request(name) for name in "abcda"], AT)

    bad = [a.bad if isinstance(a, Counts) else a for a in answers]
    assert bad == [1, ADVISED, low, 4, 1]
    assert platform.asked[-1] == ("answer", ("a", "c", "d", "a"))


def test_a_platform_that_knows_none_of_the_slos_is_not_requested_numbers() -> None:
    platform = Played({}, definitions={"a": NOT_THERE})

    assert PlatformBackend(platform).measure([request("a")], AT) == [ADVISED]
    assert "answer" not in platform.calls


@pytest.mark.parametrize("method", ["define", "answer"])
def test_a_platform_that_cannot_be_asked_is_the_reason_for_every_slo(method: str) -> None:
    platform = Played({"a": counts(), "b": counts()}, cannot={method})

    answers = PlatformBackend(platform).measure([request("a"), request("b")], AT)

    assert answers == [UNREACHABLE.answer()] * 2


def test_each_round_of_questions_has_the_whole_time() -> None:
    platform = Played({"a": counts()})

    PlatformBackend(platform).measure([request("a")], AT)

    assert platform.calls == ["begin", "define", "begin", "answer"]


def test_the_answer_about_the_own_window_has_the_definition_and_its_notes() -> None:
    definition = defined("a", granted=Granted.SECONDS, notes=("time without data is left out",))
    counted = counts(notes=("2 corrections",))
    platform = Played({"a": counted}, definitions={"a": definition})

    main, burn = PlatformBackend(platform).measure(
        [request("a"), request("a", probe=False, hours=1)], AT
    )

    assert isinstance(main, Counts)
    assert main.evidence == replace(
        counted.evidence,
        definition=definition,
        granted=Granted.SECONDS,
        notes=("time without data is left out", "2 corrections"),
    )
    assert burn == counted


def test_it_is_requested_definitions_and_has_no_history() -> None:
    backend = PlatformBackend(Played({}))

    assert isinstance(backend, DefiningBackend)
    assert history_of(backend) is None


# With a past


def series_request(name: str) -> SeriesRequest:
    span = Span(AT - timedelta(hours=1), AT)
    return SeriesRequest(sli=Sli(slo=name), span=span, step=timedelta(hours=1))


def test_a_history_is_asked_in_order_with_each_reason_in_its_place() -> None:
    platform = Played({}, definitions={"b": NOT_THERE})
    assert isinstance(platform, PlatformHistory)
    backend = PlatformHistoryBackend(platform, platform)

    answers = backend.history([series_request(name) for name in "abc"])

    assert history_of(backend) is backend
    queries = [a.query if isinstance(a, Series) else a for a in answers]
    assert queries == ["a", ADVISED, "c"]


def test_a_history_that_cannot_be_asked_is_the_reason_for_every_slo() -> None:
    platform = Played({}, cannot={"series"})
    backend = PlatformHistoryBackend(platform, platform)

    assert backend.history([series_request("a")]) == [UNREACHABLE.answer()]


def test_a_platform_that_knows_none_of_the_slos_is_not_requested_their_history() -> None:
    platform = Played({}, definitions={"a": NOT_THERE})

    assert PlatformHistoryBackend(platform, platform).history([series_request("a")]) == [ADVISED]
    assert "series" not in platform.calls


def test_a_history_shares_the_definitions_with_the_counts() -> None:
    platform = Played({"a": counts()})
    backend = PlatformHistoryBackend(platform, platform)

    backend.measure([request("a")], AT)
    backend.history([series_request("a")])

    assert platform.calls.count("define") == 1
    assert isinstance(backend.definitions([Sli(slo="a")])[0], Definition)


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        (Cause.NO_DATA, "; see on the platform's own page of this SLO whether it has data in its"),
        (Cause.INVALID, "; compare the SLO, and its group, with the platform's own page of it"),
        (Cause.STALE, ""),
    ],
)
def test_a_missing_number_says_what_to_do_with_the_platform_and_not_with_promql(
    cause: Cause, advice: str
) -> None:
    why = Unmeasured(cause=cause, reason="there is no number")

    (answer,) = PlatformBackend(Played({"a": why})).measure([request("a")], AT)

    assert isinstance(answer, Unmeasured)
    assert answer.reason.startswith(f"there is no number{advice}")
    assert bool(advice_in(answer.reason)) is bool(advice)


def test_what_says_already_what_to_do_is_left_as_it_is() -> None:
    why = Unmeasured(cause=Cause.INVALID, reason="too late; ask without an instant of the past")

    assert PlatformBackend(Played({"a": why})).measure([request("a")], AT) == [why]
