"""Sums, twins and what stands still are seen, and services that only look so are left alone."""

import random
from collections.abc import Mapping
from datetime import timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import pytest

from gate.backends.prometheus.doctor.selection import EXPECTED
from tests.doctor.asking import Outcome, examine, levels, run, write_policy, wrong
from tests.doctor.planted import (
    END,
    MINUTES,
    Planted,
    Series,
    Value,
    counted,
    grows,
    ratio,
    write_text,
)
from tests.servers.metrics import backfill, prometheus

_HOUR: Final = 60
_STOP: Final = MINUTES - 3 * _HOUR
"""The minute in which something ceases to count."""


def _increments(seed: int, least: int = 50, most: int = 150) -> list[int]:
    chance = random.Random(seed)
    return [0, *(chance.randint(least, most) for _ in range(MINUTES))]


def lively(seed: int, stop: int = MINUTES) -> Value:
    """Return a counter of traffic that varies by chance, and is frozen after ``stop``."""
    values = list(accumulate(_increments(seed)))
    return lambda minute: values[min(minute, stop)]


def restarting(seed: int, *restarts: int) -> Value:
    """Return a counter that begins anew at these minutes."""
    values, value = list[int](), 0
    for minute, events in enumerate(_increments(seed)):
        value = events if minute in restarts else value + events
        values.append(value)
    return lambda minute: values[minute]


def summed(*values: Value) -> Value:
    """Return what a rule records as sum(counter)."""
    return lambda minute: sum(value(minute) or 0 for value in values)


def _recorded(service: str, value: Value) -> tuple[Series, ...]:
    return (Series(name="job:llm_requests:sum", labels={"service": service}, value=value),)


def _spent(service: str) -> dict[str, str]:
    return {"spent": f'job:llm_requests:sum{{service="{service}"}}'}


def _gauge(service: str, instance: str, value: Value, name: str = "llm_ready") -> Series:
    labels = {"service": service, "job": service, "instance": instance}
    return Series(name=name, labels=labels, value=value)


def _first_tokens(service: str, each: float) -> tuple[Series, ...]:
    labels = {"service": service, "job": "vllm", "instance": "a:80"}
    one = {**labels, "le": "1.0"}
    rest = {**labels, "le": "+Inf"}
    return (
        Series(name="llm_ttft_seconds_bucket", labels=one, value=grows(90)),
        Series(name="llm_ttft_seconds_bucket", labels=rest, value=grows(100)),
        Series(name="llm_ttft_seconds_count", labels=labels, value=grows(100)),
        Series(name="llm_ttft_seconds_sum", labels=labels, value=grows(100 * each)),
    )


def _ttft(service: str, le: str = "1.0") -> dict[str, str]:
    selector = f'llm_ttft_seconds_bucket{{service="{service}",le='
    return {"good": f'{selector}"{le}"}}', "total": f'{selector}"+Inf"}}'}


def _ready(service: str) -> dict[str, str]:
    return {"gauge": f'max(llm_ready{{service="{service}"}})'}


SICK: Final[Mapping[str, Planted]] = {
    "sum": Planted(
        series=_recorded("sum", summed(*(restarting(n, 600 + 20 * n) for n in range(4)))),
        sli=_spent("sum"),
        finds={"counter": "fault"},
        words=("fell 4 times", "a sum of counters", "sum(increase(...))"),
    ),
    "sum-of-two": Planted(
        series=_recorded("sum-of-two", summed(restarting(1, 900), lively(2))),
        sli=_spent("sum-of-two"),
        finds={"counter": "fault"},
        words=("fell 1 times",),
    ),
    "sum-of-a-quick-rollout": Planted(
        series=_recorded(
            "sum-of-a-quick-rollout", summed(*(restarting(n, 901 + n) for n in range(4)))
        ),
        sli=_spent("sum-of-a-quick-rollout"),
        finds={"counter": "fault"},
        words=("fell 4 times",),
    ),
    "twins": Planted(
        series=(
            counted("twins", lively(1), code="200"),
            counted("twins", grows(1), code="500"),
            counted("twins", lively(1), code="200", instance="b:80"),
            counted("twins", grows(1), code="500", instance="b:80"),
            counted("twins", lively(3), code="200", instance="c:80"),
        ),
        sli=ratio("twins"),
        finds={"sources": "doubt"},
        words=("2 targets of", "count exactly what another one counts"),
    ),
    "zeros": Planted(
        series=_first_tokens("zeros", each=0),
        sli=_ttft("zeros"),
        finds={"values": "doubt"},
        words=("144,000 values of", "are all 0"),
    ),
    "stuck-engine": Planted(
        series=tuple(
            counted("stuck-engine", value, engine=str(engine))
            for engine, value in enumerate((lively(1), lively(2, _STOP), lively(3)))
        ),
        sli={"spent": 'llm_requests_total{service="stuck-engine"}'},
        finds={"moving": "doubt"},
        words=("1 engines of", "in the last 1h"),
    ),
    "engine-that-never-moved": Planted(
        series=tuple(
            counted("engine-that-never-moved", value, dp_rank=str(rank))
            for rank, value in enumerate((lively(1), lively(2), grows(0), grows(0)))
        ),
        sli={"spent": 'llm_requests_total{service="engine-that-never-moved"}'},
        finds={"moving": "doubt"},
        words=("2 engines of",),
    ),
    "stuck-target": Planted(
        series=(
            counted("stuck-target", lively(1), instance="a:80"),
            counted("stuck-target", lively(2, _STOP), instance="b:80"),
        ),
        sli={"spent": 'llm_requests_total{service="stuck-target"}'},
        finds={"moving": "doubt"},
        words=("1 targets of", "while others went on"),
    ),
    "dead-replica": Planted(
        series=(
            _gauge("dead-replica", "a", lambda _: 1),
            _gauge("dead-replica", "b", lambda _: 1),
            _gauge("dead-replica", "a", lambda _: 1, "up"),
            _gauge("dead-replica", "b", lambda minute: int(minute < _STOP), "up"),
        ),
        sli=_ready("dead-replica"),
        finds={"moving": "doubt"},
        words=("1 series of", "up is 0 for their targets"),
    ),
    "pushed-long-ago": Planted(
        series=(
            _gauge("pushed-long-ago", "a", lambda _: 1),
            _gauge(
                "pushed-long-ago",
                "a",
                lambda _: END.timestamp() - 3 * 3600,
                "push_time_seconds",
            ),
        ),
        sli=_ready("pushed-long-ago"),
        finds={"moving": "doubt"},
        words=("1 series of", "pushed more than 10m ago"),
    ),
    "frozen-gauge": Planted(
        series=(
            _gauge("frozen-gauge", "a", lambda minute: 1 + minute % 7),
            _gauge("frozen-gauge", "b", lambda _: 1),
        ),
        sli={"gauge": 'max(llm_ready{service="frozen-gauge"}) < bool 10'},
        finds={"moving": "doubt"},
        words=("1 series of", "the same all along, while others change"),
    ),
    "boundary-spelling": Planted(
        series=_first_tokens("boundary-spelling", each=0.5),
        sli=_ttft("boundary-spelling", le="1e0"),
        finds={"boundary": "fault"},
        words=('the same boundary is spelt le="1.0"', 'write le="1.0"'),
    ),
}
"""One thing wrong each."""

HEALTHY: Final[Mapping[str, Planted]] = {
    "recorded-without-restart": Planted(
        series=_recorded("recorded-without-restart", summed(lively(1), lively(2))),
        sli=_spent("recorded-without-restart"),
    ),
    "restarts-for-real": Planted(
        series=(counted("restarts-for-real", restarting(1, 400, 800, 1200)),),
        sli={"spent": 'llm_requests_total{service="restarts-for-real"}'},
    ),
    "few-events-and-restarts": Planted(
        series=(
            counted("few-events-and-restarts", lively(1), code="200"),
            counted("few-events-and-restarts", lambda m: m % 500 // 60, code="500"),
        ),
        sli=ratio("few-events-and-restarts"),
    ),
    "standby": Planted(
        series=(
            counted("standby", lively(1), instance="a:80", engine="0"),
            counted("standby", lambda _: 7.0, instance="b:80", engine="0"),
            counted("standby", lambda _: 0.0, instance="c:80", engine="0"),
        ),
        sli={"spent": 'llm_requests_total{service="standby"}'},
    ),
    "canary": Planted(
        series=(
            counted("canary", lively(1), instance="a:80"),
            counted("canary", lambda minute: minute // 300, instance="b:80"),
        ),
        sli={"spent": 'llm_requests_total{service="canary"}'},
    ),
    "prefill-and-decode": Planted(
        series=(
            counted("prefill-and-decode", lively(1), engine="decode"),
            counted("prefill-and-decode", grows(0), engine="prefill"),
        ),
        sli={"spent": 'llm_requests_total{service="prefill-and-decode"}'},
    ),
    "quiet-for-hours": Planted(
        series=(
            counted("quiet-for-hours", lively(1, _STOP), instance="a:80", engine="0"),
            counted("quiet-for-hours", lively(2, _STOP), instance="a:80", engine="1"),
            counted("quiet-for-hours", lively(3, _STOP), instance="b:80", engine="0"),
        ),
        sli={"spent": 'llm_requests_total{service="quiet-for-hours"}'},
    ),
    "scaled-down": Planted(
        series=(
            counted("scaled-down", lively(1), instance="a:80"),
            counted("scaled-down", grows(100, stop=_STOP), instance="b:80"),
        ),
        sli={"spent": 'llm_requests_total{service="scaled-down"}'},
    ),
    "two-alike": Planted(
        series=(
            counted("two-alike", lively(1), instance="a:80"),
            counted("two-alike", lively(2), instance="b:80"),
        ),
        # Nearly the same number, but of the same job and not the same in each step.
        sli={"spent": 'llm_requests_total{service="two-alike"}'},
    ),
    "real-first-tokens": Planted(
        series=_first_tokens("real-first-tokens", each=0.4), sli=_ttft("real-first-tokens")
    ),
    "ready": Planted(
        series=(
            _gauge("ready", "a", lambda _: 1),
            _gauge("ready", "b", lambda minute: minute // 30 % 2),
            _gauge("ready", "a", lambda _: 1, "up"),
            _gauge("ready", "b", lambda _: 1, "up"),
            _gauge("ready", "a", lambda _: END.timestamp() - 60, "push_time_seconds"),
        ),
        sli=_ready("ready"),
    ),
}
"""Healthy cases that resemble one of these."""
CASES: Final = {**SICK, **HEALTHY}


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what the command says of all of them on a real Prometheus."""
    folder = tmp_path_factory.mktemp("peers")
    write_text(folder / "peers.om", CASES)
    backfill(folder / "peers.om", folder / "data")
    slos = [planted.slo(name) for name, planted in CASES.items()]
    with prometheus(folder, folder / "data") as server:
        backend = {"type": "prometheus", "url": server.url}
        return examine(write_policy(folder, backend, slos))


@pytest.mark.variants(2)
@pytest.mark.parametrize("name", SICK)
def test_what_is_wrong_is_reported_with_a_number(name: str, examined: Outcome) -> None:
    planted, checked = SICK[name], examined.slos[name]
    assert levels(checked) == planted.finds
    words = " ".join(f"{result['message']}; {result['remedy']}" for result in wrong(checked))
    assert [part for part in planted.words if part not in words] == [], words


@pytest.mark.parametrize("name", HEALTHY)
def test_what_only_looks_so_is_left_alone(name: str, examined: Outcome) -> None:
    assert wrong(examined.slos[name]) == []


def test_the_extra_events_of_a_sum_are_those_that_never_happened(examined: Outcome) -> None:
    values = [SICK["sum-of-two"].series[0].value(minute) or 0 for minute in range(MINUTES + 1)]
    # What is left of a sum that falls is counted once more.
    (extra,) = [new for old, new in pairwise(values) if new < old]
    (result,) = wrong(examined.slos["sum-of-two"])
    number = int(result["message"].partition("about ")[2].split()[0].replace(",", ""))
    assert number == pytest.approx(extra, rel=0.02)


def test_data_younger_than_a_step_are_not_called_sound(tmp_path: Path) -> None:
    minutes = range(MINUTES - 15, MINUTES)  # no whole hour, nor one of its parts, is among them
    fresh = Planted(
        series=(counted("fresh", lambda m: 5000.0 + m if m in minutes else None, code="200"),),
        sli=ratio("fresh"),
    )
    write_text(tmp_path / "fresh.om", {"fresh": fresh})
    backfill(tmp_path / "fresh.om", tmp_path / "data")
    with prometheus(tmp_path, tmp_path / "data") as server:
        slo = {**fresh.slo("fresh"), "window": "30d"}
        path = write_policy(tmp_path, {"type": "prometheus", "url": server.url}, [slo])
        done = run(path, at=(END - timedelta(minutes=1)).isoformat())
        outcome = examine(path, at=(END - timedelta(minutes=1)).isoformat())

    assert done.exit_code == outcome.code == 3
    assert "SOUND" not in done.stdout
    assert "fresh: coverage, gaps: the data are younger than a step of 1h" in done.stdout
    assert {skip["check"] for skip in outcome.slos["fresh"]["not_looked_at"]} == {
        "coverage",
        "gaps",
    }
    assert levels(outcome.slos["fresh"]) == {"reach": "fault"}
    assert "boundary" in {skip["check"] for skip in outcome.slos["fresh"]["not_applicable"]}


def test_every_check_is_made_or_said_not_to_be(examined: Outcome) -> None:
    every = set(EXPECTED)
    for slo in examined.slos.values():
        lists = (slo["checks"], slo["not_looked_at"], slo["not_applicable"])
        assert every <= {entry["check"] for entries in lists for entry in entries}
