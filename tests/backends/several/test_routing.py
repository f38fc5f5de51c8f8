"""Several backends in the place of one: who is asked what, and what it comes to if one fails."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.backends import Settings, open_backend, open_doctor
from gate.backends.several import SeveralSettings
from gate.backends.several.asking import AskedBackend
from gate.backends.several.backend import SeveralBackends
from gate.backends.static import StaticSettings
from gate.errors import UsageError
from gate.measure import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    Limits,
    Suspicion,
    Unmeasured,
)
from gate.measure.capabilities import (
    DefiningBackend,
    PastRun,
    cohorts_of,
    counting,
    history_of,
    labels_of,
    measure_past,
    pairs_of,
)
from gate.measure.cohorts import CohortRequest, LabelRequest
from gate.measure.diagnosis import Check, CheckedSlo, Level
from gate.measure.history import SeriesRequest
from gate.measure.pairing import PairRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.toy_platform import ToyPlatformSettings, registered
from tests.command import heeding_interrupts

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = Span(AT - HOUR, AT)
QUICK = Limits(timeout=timedelta(seconds=0.2))


class Counting:
    """A backend that gives back its number, and remembers what it was asked, and when."""

    def __init__(self, number: int, wait: Callable[[], object] | None = None) -> None:
        self.number = number
        self.wait = wait
        self.requests: list[tuple[list[str | None], datetime]] = []

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        self.requests.append(([request.sli.series for request in requests], at))
        if self.wait is not None:
            self.wait()
        evidence = Evidence(query="")
        return [
            Counts(total=Fraction(self.number), bad=Fraction(0), evidence=evidence)
            for _ in requests
        ]


class Remembering(Counting):
    """One that has everything that a backend may have, and answers each with its number."""

    def history(self, requests: Sequence[SeriesRequest]) -> list[Any]:
        return [("history", self.number)] * len(requests)

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[Any]:
        return [("cohorts", self.number)] * len(requests)

    def label_counts(self, requests: Sequence[LabelRequest]) -> list[Any]:
        return [("labels", self.number)] * len(requests)

    def pairs(self, requests: Sequence[PairRequest]) -> list[Any]:
        return [("pairs", self.number)] * len(requests)


class Failing:
    """One that does something wrong."""

    def __init__(self, act: Callable[[], list[Answer]]) -> None:
        self.act = act

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - whatever it is
        return self.act()


def several(limits: Limits = QUICK, **backends: Backend | Exception) -> SeveralBackends:
    def opening(opened: Backend | Exception) -> Callable[[], Backend]:
        def open_() -> Backend:
            if isinstance(opened, Exception):
                raise opened
            return opened

        return open_

    settings = StaticSettings(path=Path("counts.yaml"))
    return SeveralBackends(
        {name: AskedBackend(name, settings, opening(each)) for name, each in backends.items()},
        limits,
    )


def count(backend: str, series: str = "", at: datetime = AT) -> CountRequest:
    return CountRequest(sli=Sli(series=series, backend=backend), span=Span(at - HOUR, at))


def totals(answers: Sequence[Answer]) -> list[int | str]:
    """Return the number of each answer, or why there is none."""
    return [
        int(answer.total)
        if isinstance(answer, Counts)
        else answer.reason
        if isinstance(answer, Unmeasured)
        else ""
        for answer in answers
    ]


def test_each_request_goes_to_its_backend_and_the_answers_are_in_order() -> None:
    first, second = Counting(1), Counting(2)

    answers = several(a=first, b=second).measure(
        [count("a", "x"), count("b", "y"), count("a", "z"), count("b", "w")], AT
    )

    assert totals(answers) == [1, 2, 1, 2]
    assert first.requests == [(["x", "z"], AT)]
    assert second.requests == [(["y", "w"], AT)]


def test_a_backend_that_nothing_is_asked_of_is_not_asked() -> None:
    idle = Counting(2)

    assert totals(several(a=Counting(1), b=idle).measure([count("a")], AT)) == [1]
    assert idle.requests == []


def test_all_are_asked_at_the_same_time() -> None:
    # Each waits until all three are at work: asked one after the other they would never be.
    together = threading.Barrier(3, timeout=5)
    backends = {name: Counting(1, together.wait) for name in "abc"}

    answers = several(Limits(timeout=timedelta(seconds=10)), **backends).measure(
        [count(name) for name in "abc"], AT
    )

    assert totals(answers) == [1, 1, 1]


def test_a_run_takes_about_as_long_as_the_slowest() -> None:
    # The strict figure is in benchmarks/sources.py: this machine may be busy.
    waits = {"a": 0.3, "b": 0.25, "c": 0.2}
    backends = {name: Counting(1, partial(time.sleep, wait)) for name, wait in waits.items()}
    start = time.monotonic()

    answers = several(Limits(timeout=timedelta(seconds=10)), **backends).measure(
        [count(name) for name in "abc"], AT
    )

    assert totals(answers) == [1, 1, 1]
    assert time.monotonic() - start < sum(waits.values()) - 0.05


def test_an_interrupt_does_not_wait_for_a_slow_backend() -> None:
    release = threading.Event()
    backend = several(
        Limits(timeout=timedelta(seconds=20)), a=Counting(1, partial(release.wait, 20))
    )
    interrupt = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()

    with heeding_interrupts():
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            backend.measure([count("a")], AT)

    assert time.monotonic() - start < 10
    release.set()


def test_runs_of_the_past_are_asked_of_each_backend_at_their_own_instants() -> None:
    first, second = Counting(1), Counting(2)
    early = AT - 3 * HOUR
    runs = [
        PastRun(requests=(count("a", "x", early), count("b", "y", early)), at=early),
        PastRun(requests=(), at=AT - HOUR),
        PastRun(requests=(count("b", "z"), count("a", "w"), count("b", "v")), at=AT),
    ]

    answers = measure_past(several(a=first, b=second), runs)

    assert list(map(totals, answers)) == [[1, 2], [], [2, 1, 2]]
    assert first.requests == [(["x"], early), (["w"], AT)]
    assert second.requests == [(["y"], early), (["z", "v"], AT)]


def raises(error: BaseException) -> Callable[[], list[Answer]]:
    def act() -> list[Answer]:
        raise error

    return act


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            Failing(raises(ValueError("the disk is gone"))),
            "the backend b (static) failed: ValueError: the disk is gone",
        ),
        (
            Failing(raises(TimeoutError("read"))),
            "the backend b (static) failed: TimeoutError: read",
        ),
        (Failing(raises(SystemExit(4))), "the backend b (static) failed: SystemExit: 4"),
        (Failing(list), "the backend b (static) gave 0 answers to 1 requests"),
        (
            UsageError("reading it needs duckdb; pip install duckdb"),
            "the backend b (static): reading it needs duckdb; pip install duckdb",
        ),
        (OSError("no such device"), "the backend b (static) failed: OSError: no such device"),
    ],
)
def test_a_backend_that_fails_takes_no_other_with_it(
    failure: Backend | Exception, reason: str
) -> None:
    answers = several(a=Counting(1), b=failure).measure([count("a"), count("b"), count("a")], AT)

    assert totals(answers) == [1, reason, 1]
    assert isinstance(answers[1], Unmeasured)
    assert answers[1].cause is Cause.BACKEND_ERROR


def test_a_backend_that_is_late_is_not_waited_for_and_is_asked_again_when_it_is_free() -> None:
    released, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        released.wait(10)

    late = Counting(2, wait)
    backend = several(Limits(timeout=timedelta(seconds=-0.9)), a=Counting(1), b=late)

    first = backend.measure([count("a"), count("b")], AT)
    assert begun.wait(5)
    second = backend.measure([count("a"), count("b")], AT)
    released.set()
    until = time.monotonic() + 5
    third = backend.measure([count("b")], AT)
    while not isinstance(third[0], Counts) and time.monotonic() < until:
        third = backend.measure([count("b")], AT)

    assert totals(first) == [1, "the backend b (static) did not answer within -0.9s"]
    assert totals(second) == [
        1,
        "the backend b (static) is still busy with an earlier request",
    ]
    assert totals(third) == [2]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            "connection refused; check the host and port of backend.path",
            "connection refused; check the host and port of backends.b.path",
        ),
        ("set backend.path and backend.path", "set backends.b.path and backends.b.path"),
        # Neither of these is a key of this backend.
        ("http://backend.path:9090 is down", "http://backend.path:9090 is down"),
        ("my-backend.path and backend.other", "my-backend.path and backend.other"),
    ],
)
def test_advice_names_the_keys_at_their_places(reason: str, shown: str) -> None:
    why = Unmeasured(cause=Cause.BACKEND_ERROR, reason=reason)

    answers = several(a=Counting(1), b=Failing(lambda: [why])).measure([count("b")], AT)

    assert totals(answers) == [shown]


def test_so_does_the_advice_of_a_suspicion() -> None:
    suspicion = Suspicion(cause=Cause.LOST, reason="no zone", remedy="set backend.path")
    evidence = Evidence(query="", suspicions=(suspicion,))
    doubted = Counts(total=Fraction(1), bad=Fraction(0), evidence=evidence)

    (answer,) = several(b=Failing(lambda: [doubted])).measure([count("b")], AT)

    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions == (replace(suspicion, remedy="set backends.b.path"),)


REQUESTS: list[tuple[Callable[[Backend], Any], str, Callable[[Sli], Any], str]] = [
    (history_of, "history", lambda sli: SeriesRequest(sli=sli, span=SPAN, step=HOUR), "history"),
    (
        cohorts_of,
        "cohorts",
        lambda sli: CohortRequest(sli=sli, span=SPAN, step=HOUR, by=("route",), most=3),
        "cohorts",
    ),
    (
        labels_of,
        "label_counts",
        lambda sli: LabelRequest(sli=sli, spans=(SPAN,), most=3),
        "labels",
    ),
    (
        pairs_of,
        "pairs",
        lambda sli: PairRequest(
            sli=sli, span=SPAN, step=HOUR, by="v", candidate="a", against="b", pair_by="id"
        ),
        "pairs",
    ),
]
LACKS = {
    "history": "keeps no history to look at",
    "cohorts": "cannot separate events by labels",
    "labels": "cannot group failures by label",
    "pairs": "has no single requests that could be paired",
}


@pytest.mark.parametrize(("offered", "method", "request_of", "word"), REQUESTS)
def test_what_a_backend_lacks_is_unknown_of_its_own_slos_only(
    offered: Callable[[Backend], Any], method: str, request_of: Callable[[Sli], Any], word: str
) -> None:
    backend = offered(several(a=Remembering(1), b=Counting(2), c=Remembering(3)))

    answers = getattr(backend, method)([request_of(Sli(backend=name)) for name in "cba"])

    assert answers[0] == (word, 3)
    assert answers[1] == Unmeasured(
        cause=Cause.NO_DATA, reason=f"the backend b (static) {LACKS[word]}"
    )
    assert answers[2] == (word, 1)


@pytest.mark.parametrize(("offered", "method", "request_of", "word"), REQUESTS)
def test_several_have_what_one_of_them_has_or_might_have(
    offered: Callable[[Backend], Any], method: str, request_of: Callable[[Sli], Any], word: str
) -> None:
    assert offered(several(a=Counting(1), b=Counting(2))) is None
    assert offered(several(a=Counting(1), b=Remembering(2))) is not None

    unopened = offered(several(a=Counting(1), b=UsageError("install it")))
    (answer,) = getattr(unopened, method)([request_of(Sli(backend="b"))])
    assert answer.reason == "the backend b (static): install it", word


def test_the_backend_that_counts_an_indicator_can_be_examined() -> None:
    first = Counting(1)
    backend = several(a=first, b=UsageError("install it"))

    assert counting(backend, Sli(backend="a")) is first
    assert counting(backend, Sli(backend="b")) is backend
    assert counting(first, Sli()) is first


def test_settings_of_several_open_each_of_them(tmp_path: Path) -> None:
    for name, total in (("a", 1), ("b", 2)):
        text = f"counts: {{x: {{total: {total}, bad: 0}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = SeveralSettings(
        backends={name: StaticSettings(path=tmp_path / f"{name}.yaml") for name in "ab"}
    )
    requests = [
        CountRequest(sli=Sli(series="x", backend=name), span=SPAN, probe=True) for name in "ba"
    ]

    assert totals(open_backend(settings, QUICK).measure(requests, AT)) == [2, 1]


def checked(name: str, backend: str) -> CheckedSlo:
    sli = Sli(series=name, backend=backend)
    return CheckedSlo(
        name=name,
        request=CountRequest(sli=sli, span=SPAN, probe=True),
        whole=HOUR,
        max_age=HOUR,
        min_coverage=Fraction(9, 10),
    )


def test_the_doctor_looks_at_each_backend_with_its_own_slos(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("counts: {x: {total: 1, bad: 0}}\n", encoding="utf-8")
    settings = SeveralSettings(
        backends={name: StaticSettings(path=tmp_path / f"{name}.yaml") for name in "abc"}
    )

    diagnosis = open_doctor(settings, QUICK).examine([checked("y", "b"), checked("x", "a")], AT)

    assert diagnosis.backend == ()
    assert list(diagnosis.backends) == ["a", "b"]
    of_b, of_a = diagnosis.slos
    assert [result.level for result in of_a] == [Level.OK] * len(of_a)
    assert of_a
    assert Level.FAULT in {result.level for result in of_b}


def test_a_doctor_that_fails_is_a_fault_of_its_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UsageError("install duckdb")

    monkeypatch.setattr("gate.backends.several.doctor.open_doctor", fail)
    settings = SeveralSettings(backends={"a": StaticSettings(path=Path("a.yaml"))})

    diagnosis = open_doctor(settings, QUICK).examine([checked("x", "a")], AT)

    ((result,),) = diagnosis.backends.values()
    assert (result.check, result.level) == (Check.REACH, Level.FAULT)
    assert result.message == "the backend a (static): install duckdb"
    assert diagnosis.slos == ((),)
    assert diagnosis.skipped == ((),)


class Platform(Counting):
    """One whose platform keeps SLOs."""

    def definitions(self, slis: Sequence[Sli]) -> list[Any]:
        return [("definition", self.number)] * len(slis)


def test_each_platform_defines_its_own_slos_and_others_define_none() -> None:
    backends = several(a=Platform(1), b=Counting(2))
    slis = [Sli(slo="Chat", backend=name) for name in ("a", "b", "a")]

    answers: list[Any] = [*backends.definitions(slis)]
    first, second, third = answers

    assert (first, third) == (("definition", 1), ("definition", 1))
    assert isinstance(second, Unmeasured)
    assert second.reason == (
        "the backend b (static) keeps no SLOs that have an objective and a window"
    )


def test_without_a_platform_nothing_is_defined() -> None:
    assert not isinstance(several(a=Counting(1)), DefiningBackend)


def test_a_platform_keeps_no_history_that_can_be_read(tmp_path: Path) -> None:
    def source(name: str, settings: Settings, backend: Backend) -> AskedBackend[Backend]:
        return AskedBackend(name, settings, lambda: backend)

    with registered():
        sources = {
            "toy": source("toy", ToyPlatformSettings(path=tmp_path), Counting(1)),
            "file": source("file", StaticSettings(path=tmp_path), Counting(2)),
            "prom": source("prom", StaticSettings(path=tmp_path), Remembering(3)),
        }
    past = SeveralBackends(sources, QUICK)
    span = Span(AT - HOUR, AT)
    requests = [
        SeriesRequest(sli=Sli(backend=name), span=span, step=HOUR) for name in ("toy", "file")
    ]

    first, second = past.history(requests)

    assert isinstance(first, Unmeasured)
    assert isinstance(second, Unmeasured)
    assert first.reason == "the backend toy (toy-platform) keeps no history that can be read"
    assert second.reason == "the backend file (static) keeps no history to look at"
