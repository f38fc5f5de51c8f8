"""Histories of several backends: each works ahead by an answer, and is waited for by itself."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from gate.measure import Cause, Limits, Unmeasured
from gate.measure.capabilities import BatchedHistory, each_answer
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from tests.backends.several.test_routing import HOUR, SPAN, Counting, Remembering, several

LONG = Limits(timeout=timedelta(seconds=9))
Yield = Callable[[int], Any]


class Batched(Counting):
    """One that answers each request with what it is told to, and counts those it has begun."""

    def __init__(self, answer: Yield, most: int = 99) -> None:
        super().__init__(0)
        self.answer = answer
        self.most = most
        self.begun = 0
        self.ended = threading.Event()

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        return list(self.each_history(requests))

    def each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        try:
            for place in range(min(len(requests), self.most)):
                self.begun += 1
                yield self.answer(place)
        finally:
            self.ended.set()


def each(backend: Any, names: str) -> Any:
    return each_answer(backend, asked(names))


def asked(names: str) -> list[SeriesRequest]:
    return [SeriesRequest(sli=Sli(backend=name), span=SPAN, step=HOUR) for name in names]


def history(limits: Limits = LONG, **backends: Any) -> Any:
    backend = several(limits, **backends)
    assert isinstance(backend, BatchedHistory)
    return backend


def reasons(answers: Sequence[Any]) -> list[Any]:
    return [each.reason if isinstance(each, Unmeasured) else each for each in answers]


def test_answers_of_backends_with_and_without_batches_are_in_order() -> None:
    both = history(a=Batched(lambda place: f"a{place}"), b=Remembering(2))

    assert list(each(both, "abaab")) == [
        *("a0", ("history", 2), "a1", "a2"),
        ("history", 2),
    ]
    assert both.history(asked("aa")) == ["a0", "a1"]


def test_of_no_requests_nothing_is_asked() -> None:
    backend = Batched(str)

    assert list(each(history(a=backend), "")) == list(each(Remembering(2), "")) == []
    assert backend.begun == 0


def test_a_backend_works_ahead_by_the_answer_that_is_kept_and_the_next() -> None:
    backend = Batched(str)
    answers = each(history(a=backend), "a" * 9)

    assert next(answers) == "0"
    until = time.monotonic() + 5
    while backend.begun < 3 and time.monotonic() < until:
        time.sleep(0.001)
    # The first is taken, the second is kept, and the third is done and waits.
    assert (backend.begun, next(answers)) == (3, "1")


def test_a_backend_whose_answers_nobody_takes_any_more_is_free_again() -> None:
    backend = Batched(str)
    both = history(a=backend)
    answers = each(both, "aaaa")
    assert next(answers) == "0"

    answers.close()

    assert backend.ended.wait(5)
    until = time.monotonic() + 5
    while (again := both.history(asked("a"))) != ["0"] and time.monotonic() < until:
        assert "is still busy" in reasons(again)[0]


def test_a_backend_that_fails_in_between_has_given_what_it_gave_and_takes_no_other_with_it() -> (
    None
):
    def fail(place: int) -> str:
        if place:
            raise ValueError("the disk is gone")
        return "first"

    both = history(a=Batched(fail), b=Batched(str))

    answers = both.history(asked("abaab"))
    assert reasons(answers) == [
        *("first", "0"),
        *["the backend a (static) failed: ValueError: the disk is gone"] * 2,
        "1",
    ]
    assert answers[2].cause is Cause.BACKEND_ERROR


def test_a_backend_that_gives_too_few_answers_is_told_so() -> None:
    answers = history(a=Batched(str, most=1)).history(asked("aaa"))

    assert reasons(answers) == ["0", *["the backend a (static) gave 1 answers to 3 requests"] * 2]


def test_a_backend_that_is_late_with_one_is_not_waited_for_again_and_delays_no_other() -> None:
    released = threading.Event()

    def late(place: int) -> str:
        if place:
            released.wait(10)
        return str(place)

    quick = Limits(timeout=timedelta(seconds=-0.8))
    both = history(quick, a=Batched(late), b=Batched(str))

    answers = both.history(asked("aaab"))
    released.set()

    assert reasons(answers) == [
        *("0", *["the backend a (static) did not answer within -0.8s"] * 2),
        "0",
    ]


def test_time_in_which_answers_wait_to_be_taken_does_not_count_against_a_backend() -> None:
    quick = Limits(timeout=timedelta(seconds=-0.8))
    answers = each(history(quick, a=Batched(str)), "aaaa")
    first = next(answers)
    time.sleep(0.25)

    assert [first, *answers] == list("0123")


@pytest.mark.parametrize("number", [0, 3])
def test_a_history_that_gives_another_number_of_answers_is_a_fault(number: int) -> None:
    class Wrong(Remembering):
        def history(self, requests: Sequence[SeriesRequest]) -> list[Any]:  # noqa: ARG002
            return ["x"] * number

    (answer,) = history(a=Wrong(1)).history(asked("a"))

    words = f"RuntimeError: the backend gave {number} answers to 1 requests"
    assert answer.reason == f"the backend a (static) failed: {words}"
