"""Imported expressions of SLO files, compared with the originals on a real server."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
import requests

from gate.config.slo_files.indicators import ratio_sli
from gate.promql.counting import read_count
from gate.promql.expression import read_expression
from gate.slo.indicator import Sli
from tests.servers.metrics import Server, backfill, prometheus
from tests.servers.series import START, STEP, Counter, Gauge, write_openmetrics

pytestmark = pytest.mark.slow

WINDOW = timedelta(minutes=30)
MINUTES = 60
EVENTS = {"a": 3, "b": 5, "c": 7, "t": 1000, "z": 0}
"""By metric, what happens in a minute; twice of it in the second group. Of z, nothing happens."""
GROUPS = ("one", "two")
SEEDS = 600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("expressions")
    series: list[Counter | Gauge] = []
    for times, group in enumerate(GROUPS, start=1):
        labels = f'g="{group}"'
        for name, every in EVENTS.items():
            events = [every * times] * (MINUTES + 5)
            series.append(Counter(name=f"{name}_total", labels=labels, events=events))
        values = [int(minute % 7 > 0) for minute in range(MINUTES + 5)]
        series.append(Gauge(name="up", labels=labels, values=values))
    with (folder / "text").open("w", encoding="utf-8") as file:
        write_openmetrics(series, file)
    backfill(folder / "text", folder / "data")
    with prometheus(folder / "server", folder / "data") as running:
        yield running


class Writer:
    """Writes expressions at random, some of which count and some of which do not."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.rate = self._random.random() < 0.5
        self._sum = self._random.choice(["sum", "sum", "sum by (g)", "sum without (x)", ""])

    def pair(self) -> tuple[str, str]:
        """Return errors and all events; often the errors are all but some."""
        total, errors = self._leaf("t"), self.expression(3)
        if self._random.random() < 0.3:
            errors = f"{total} - {self.expression(1)}"
        bounds = self._random.choice(["{}", "{}", "clamp_min({}, 0)", "({}) > 0", "{} > 0"])
        return bounds.format(errors), total

    def expression(self, depth: int) -> str:
        if depth == 0 or self._random.random() < 0.1:
            return self._leaf(self._random.choice("abc"))
        inner, other = self.expression(depth - 1), self.expression(depth - 1)
        forms = [
            f"{inner} + {other}",
            f"({inner}) - ({other})",
            f"{inner} - {other}",
            f"{self._sum}({inner})",
            f"({inner})",
            f"({inner}) or ({other})",
        ]
        labels = [
            f'label_replace({inner}, "x", "$1", "g", "(.*)")',
            f'label_join({inner}, "y", "-", "g")',
            f"sort({inner})",
            f"(({inner}) or vector(0))",
            f"(({inner}) or 0 * {self._leaf('t')})",
            f"{self._sum}(({inner}) >= 0)",
            f"{self._sum}(clamp_min({inner}, 0))",
            f"round({inner}, 0.001)",
            f"0.5 * ({inner})",
        ]
        wrong = [
            f"avg({inner})",
            f"max by (g) ({inner})",
            f"({inner}) * 2",
            f"({inner}) > 50",
            f"{inner} unless up",
            f"{inner} or vector(0) / {inner}",
            f"sum(rate(a_total[5m])) + {inner}",
            f"-({inner})",
            f"clamp_max({inner}, 20)",
            f"count({inner})",
            f"vector(0) or {inner}",
        ]
        chosen = self._random.choices([forms, labels, wrong], weights=[65, 30, 3])[0]
        return self._random.choice(chosen)

    def _leaf(self, name: str) -> str:
        if not self.rate and name != "t" and self._random.random() < 0.2:
            call = f"{self._random.choice(['sum', 'count'])}_over_time(up[$window])"
        else:
            call = f"{'rate' if self.rate else 'increase'}({name}_total[$window])"
        return f"{self._sum} ({call})" if self._sum else call


def asked(server: Server, text: str) -> float | None:
    """Return the sum of what an expression gives; None: it gives nothing."""
    at = START + MINUTES * STEP
    form = {"query": f"sum({text})", "time": str(at.timestamp())}
    answer = requests.post(f"{server.url}/api/v1/query", data=form, timeout=60)
    assert answer.status_code == 200, (text, answer.text)
    result = answer.json()["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def written(server: Server, text: str, *, rate: bool) -> float | None:
    """Return what an expression of a file gives over the window, without the gate."""
    value = asked(server, text.replace("$window", "30m"))
    return value if value is None or not rate else value * WINDOW.total_seconds()


def counted(server: Server, sli: Sli) -> tuple[float, float]:
    """Return the bad events and all events, as the gate asks for them."""
    total = asked(server, read_expression(sli.total or "", None).over("30m")) or 0.0
    if sli.good is None:
        return asked(server, read_expression(sli.bad or "", None).over("30m")) or 0.0, total
    return total - (asked(server, read_expression(sli.good, None).over("30m")) or 0.0), total


def test_whatever_is_read_counts_what_was_written(server: Server) -> None:
    outcomes = {"compared": 0, "refused": 0, "nothing": 0}
    for seed in range(SEEDS):
        writer = Writer(seed)
        errors, total = writer.pair()
        try:
            sli = ratio_sli("bad", read_count(errors), read_count(total))
        except ValueError:
            outcomes["refused"] += 1
            continue
        original = written(server, errors, rate=writer.rate)
        if original is None:  # what is compared with 0 is left out, where it is below
            outcomes["nothing"] += 1
            original = 0.0
        bad, every = counted(server, sli)
        assert bad == pytest.approx(original, rel=1e-9, abs=1e-6), (seed, errors, sli)
        assert every == pytest.approx(written(server, total, rate=writer.rate), rel=1e-9)
        outcomes["compared"] += 1

    assert outcomes["compared"] > SEEDS / 3
    assert outcomes["refused"] > SEEDS / 20


A, B, T, Z = (f"increase({name}_total[$window])" for name in "abtz")
UP, SEEN = "sum_over_time(up[$window])", "count_over_time(up[$window])"
MINUTES_COUNTED = WINDOW // STEP
DOWN = sum(minute % 7 == 0 for minute in range(MINUTES - MINUTES_COUNTED + 1, MINUTES + 1))
"""Samples that are 0 in the window, of each group."""


@pytest.mark.parametrize(
    ("errors", "total", "bad"),
    [
        (f"sum({A})", f"sum({T})", 9),
        (f"clamp_min(sum({T}) - sum({A}), 0)", f"sum({T})", 3000 - 9),
        (f"clamp_min(sum by (g) ({T}) - sum by (g) ({A}), 0)", f"sum by (g) ({T})", 3000 - 9),
        (f"sum({A}) > 0", f"sum({T}) > 0", 9),
        (f"sum({Z}) > 0", f"sum({T}) > 0", 0),
        (f"sum({B}) - sum({A}) > 0", f"sum({T})", 6),
        (f"sum({A}) - sum({B}) > 0", f"sum({T})", 0),
        (f"sum({Z} > 0) + sum({A} > 0)", f"sum({T})", 9),
        (f"sum({A}) or 0 * sum({T})", f"sum({T})", 9),
        (f"sum({A}) or on () vector(0)", f"sum({T})", 9),
        (f"sum(increase(nothing[$window])) + sum({A})", f"sum({T})", 9),
        (f"increase(nothing[$window]) + {A}", f"sum({T})", 9),
        (f"sum by (g) (increase(nothing[$window])) + sum by (g) ({B})", f"sum({T})", 15),
        (f"sum(label_replace({A}, 'x', '$1', 'g', '(.*)')) by (x)", f"sum({T})", 9),
        (f"ceil(sum({A}))", f"sum({T})", 9),
    ],
)
def test_the_shapes_of_real_files_count_what_happened(
    server: Server, errors: str, total: str, bad: int
) -> None:
    sli = ratio_sli("bad", read_count(errors), read_count(total))

    assert counted(server, sli) == pytest.approx((bad * MINUTES_COUNTED, 3000 * MINUTES_COUNTED))


@pytest.mark.parametrize("grouping", ["", " by (g)"])
def test_samples_of_a_probe_that_failed_are_counted(server: Server, grouping: str) -> None:
    errors, total = f"sum({SEEN} - {UP}){grouping}", f"sum({SEEN}){grouping}"
    bad, every = counted(server, ratio_sli("bad", read_count(errors), read_count(total)))

    # Whether a window's first instant belongs to it differs between servers.
    assert bad == pytest.approx(2 * DOWN, abs=2)
    assert every == pytest.approx(2 * MINUTES_COUNTED, abs=2)
    assert bad == written(server, errors, rate=False)
