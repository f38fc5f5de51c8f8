"""Means of the ratios of timeslices, on real servers, beside what happened minute by minute."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.command import Outcome, check, policy
from tests.servers.history import mean_of_ratios, probe_values, truth
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import LAST, STEP, Counter, write_openmetrics

pytestmark = pytest.mark.slow

MONTH, HOUR, FORTNIGHT = timedelta(days=30), timedelta(hours=1), timedelta(days=14)
UNDECIDED = 3
BUDGET = Fraction(1, 1000)
FAILED = 'sum(llm_requests_total{service="%s",code="500"})'
ALL = 'sum(llm_requests_total{service="%s"})'


def metric(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def ratio(part: str, some: str, every: str) -> dict[str, Any]:
    return {"ratioMetric": {"counter": True, part: metric(some), "total": metric(every)}}


def failures(service: str) -> dict[str, Any]:
    return ratio("bad", FAILED % service, ALL % service)


def objective(name: str, sli: Any, every: str = "5m", **more: Any) -> dict[str, Any]:
    return {
        "displayName": name,
        "target": 0.999,
        "timeSliceWindow": every,
        "indicator": {"spec": sli},
        **more,
    }


def openslo(*objectives: dict[str, Any], window: str = "30d") -> dict[str, Any]:
    spec = {
        "service": "llm",
        "timeWindow": [{"duration": window, "isRolling": True}],
        "budgetingMethod": "RatioTimeslices",
        "objectives": list(objectives),
    }
    return {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "means"}, "spec": spec}


def sloth(**queries: str) -> dict[str, Any]:
    slos = [
        {"name": name, "objective": 99.9, "sli": {"raw": {"error_ratio_query": query}}}
        for name, query in queries.items()
    ]
    return {"version": "prometheus/v1", "service": "llm", "slos": slos}


def judged(folder: Path, url: str, document: dict[str, Any]) -> Outcome:
    (folder / "slo.yaml").write_text(yaml.safe_dump(document))
    return check(policy(folder, url, [{"from": "slo.yaml"}]))


def assert_mean(outcome: Outcome, name: str, mean: Fraction, slices: int) -> None:
    slo = outcome.slos[name]
    assert slo["status"] == "measured", slo["doubts"]
    assert slo["total"] == slices
    assert slo["error_ratio"] == pytest.approx(float(mean), rel=1e-9)
    assert slo["consumed"] == pytest.approx(float(mean / BUDGET), rel=1e-9)
    assert slo["coverage"] == pytest.approx(1, abs=0.01)
    assert [note for note in slo["notes"] if note.startswith("timeslice mean")]


def test_every_slice_counts_alike_whatever_its_traffic(url: str, tmp_path: Path) -> None:
    good = 'sum(llm_requests_total{service="trough",code="200"})'
    outcome = judged(
        tmp_path,
        url,
        openslo(
            objective("Peak", failures("peak")),
            objective("Trough", ratio("good", good, ALL % "trough"), compositeWeight=0.5),
        ),
    )

    peak, trough = (mean_of_ratios(service, window=MONTH) for service in ("peak", "trough"))
    assert_mean(outcome, "means/Peak", peak, 30 * 288)
    assert_mean(outcome, "means/Trough", trough, 30 * 288)
    missing = float((peak + trough / 2) / BUDGET)
    assert outcome.slos["means"]["consumed"] == pytest.approx(missing, rel=1e-9)
    # Half an hour in which all fails costs as much by night as at noon; of the events it does not.
    costs = [truth(service, MONTH) for service in ("peak", "trough")]
    by_events = [cost.bad / cost.total / 0.001 for cost in costs]
    assert by_events[0] > 1.5
    assert by_events[1] < 0.3
    assert float(peak / BUDGET) == pytest.approx(float(trough / BUDGET), abs=0.02)


@pytest.mark.parametrize(("every", "length"), [("2m", HOUR / 30), ("1h", HOUR), ("1d", 24 * HOUR)])
def test_slices_are_as_long_as_the_file_says(
    url: str, tmp_path: Path, every: str, length: timedelta
) -> None:
    outcome = judged(tmp_path, url, openslo(objective("Peak", failures("peak"), every)))

    slo = outcome.slos["means/Peak"]
    expected = mean_of_ratios("peak", window=MONTH, every=length)
    assert slo["total"] == MONTH // length
    assert slo["error_ratio"] == pytest.approx(float(expected), rel=1e-9)


def test_failures_that_are_absent_in_a_slice_are_none_there_and_hide_no_others(
    url: str, tmp_path: Path
) -> None:
    both = ratio(
        "bad",
        f"{FAILED % 'peak'} + {FAILED % 'born'}",
        'sum(llm_requests_total{service=~"peak|born"})',
    )
    outcome = judged(
        tmp_path,
        url,
        openslo(objective("Born", failures("born")), objective("Both", both)),
    )

    born = mean_of_ratios("born", window=MONTH)
    assert born > 0
    assert_mean(outcome, "means/Born", born, 30 * 288)
    assert_mean(outcome, "means/Both", mean_of_ratios("peak", "born", window=MONTH), 30 * 288)


def test_failures_that_never_happened_are_none_beside_their_total(url: str, tmp_path: Path) -> None:
    outcome = judged(tmp_path, url, openslo(objective("Flawless", failures("flawless"))))

    assert outcome.code == 0
    assert_mean(outcome, "means/Flawless", Fraction(0), 30 * 288)


def test_a_ratio_of_counts_and_a_ratio_alone_come_to_the_same(url: str, tmp_path: Path) -> None:
    failed = "sum(rate(llm_requests_total{service='peak',code='500'}[{{.window}}]))"
    every = "sum(rate(llm_requests_total{service='peak'}[{{.window}}]))"
    counts = {"rawType": "failure", "raw": metric(f"{failed} / {every}")}
    alone = {"rawType": "success", "raw": metric(f"1 - ({failed} / ({every} > 0))")}
    outcome = judged(
        tmp_path,
        url,
        openslo(
            objective("Counts", {"ratioMetric": counts}),
            objective("Alone", {"ratioMetric": alone}),
        ),
    )

    for name in ("means/Counts", "means/Alone"):
        assert_mean(outcome, name, mean_of_ratios("peak", window=MONTH), 30 * 288)


def test_a_threshold_is_the_share_of_a_slices_minutes(url: str, tmp_path: Path) -> None:
    up = {"thresholdMetric": metric('llm_up{service="probe"}')}
    outcome = judged(tmp_path, url, openslo(objective("Up", up, "10m", op="gte", value=1)))

    values = probe_values()[LAST - MONTH // STEP + 1 :]
    assert_mean(outcome, "means/Up", Fraction(values.count(0), len(values)), 30 * 144)


def test_sloths_ratio_alone_is_averaged_as_its_own_rules_do(url: str, tmp_path: Path) -> None:
    query = (
        "# Of those that were served.\n"
        "max(rate(llm_requests_total{service='trough',code='500'}[{{.window}}]))"
        " / (sum(rate(llm_requests_total{service='trough'}[{{.window}}])) > 0) # all"
    )
    outcome = judged(tmp_path, url, sloth(trough=query))

    assert_mean(outcome, "llm-trough", mean_of_ratios("trough", window=MONTH), 30 * 288)


@pytest.mark.parametrize(
    ("service", "causes"), [("idle", {"no_traffic", "no_data"}), ("nobody", {"no_data"})]
)
def test_where_nothing_happened_nothing_is_known(
    url: str, tmp_path: Path, service: str, causes: set[str]
) -> None:
    share = "max(rate(llm_requests_total{service='S',code='500'}[{{.window}}]))"
    share += " / max(rate(llm_requests_total{service='S'}[{{.window}}]))"
    outcomes = [
        judged(tmp_path, url, document)
        for document in (
            sloth(a=share.replace("S", service)),
            openslo(objective("a", failures(service))),
            openslo(objective("a", ratio("good", ALL % service, ALL % service))),
        )
    ]

    for outcome in outcomes:
        slo = outcome.slos.get("means/a") or outcome.slos["llm-a"]
        assert outcome.code == UNDECIDED
        assert slo["remaining"] is None
        assert {doubt["cause"] for doubt in slo["doubts"]} <= causes


def test_several_series_are_not_a_share(url: str, tmp_path: Path) -> None:
    codes = ratio("bad", 'sum by (code) (llm_requests_total{service="peak"})', ALL % "peak")
    outcome = judged(tmp_path, url, openslo(objective("a", codes)))

    assert outcome.code == UNDECIDED
    assert outcome.slos["means/a"]["remaining"] is None


def test_good_events_that_nobody_has_are_no_data(url: str, tmp_path: Path) -> None:
    misspelt = 'sum(llm_requests_total{service="peak",code="OK"})'
    outcome = judged(tmp_path, url, openslo(objective("a", ratio("good", misspelt, ALL % "peak"))))

    (doubt,) = outcome.slos["means/a"]["doubts"]
    assert "good: nothing came back" in doubt["reason"]


def test_an_attack_spends_the_budget_in_the_time_that_openslo_says(tmp_path: Path) -> None:
    """Its example: 95% in two weeks, ordinarily 99% good, and 1% good in the attack.

    https://github.com/OpenSLO/OpenSLO/blob/main/examples/budgeting-method/README.md
    """
    attack = range(LAST - 5000, LAST - 5000 + 13 * 60 + 43)  # "about 13 hours and 45 minutes"
    good = [100 if tick in attack else 99 for tick in range(LAST + 1)]
    bad = [9900 if tick in attack else 1 for tick in range(LAST + 1)]
    with (tmp_path / "attack.om").open("w") as file:
        write_openmetrics(
            [
                Counter(name="page_total", labels=f'good="{label}"', events=events)
                for label, events in (("yes", good), ("no", bad))
            ],
            file,
        )
    backfill(tmp_path / "attack.om", tmp_path / "blocks")
    pages = ratio("bad", 'sum(page_total{good="no"})', "sum(page_total)")
    with prometheus(tmp_path / "server", tmp_path / "blocks") as server:
        outcome = judged(
            tmp_path,
            server.url,
            openslo(objective("Page", pages, "1m", target=0.95), window="2w"),
        )

    minutes = FORTNIGHT // STEP
    spent = len(attack) * Fraction(99, 100) + (minutes - len(attack)) * Fraction(1, 100)
    slo = outcome.slos["means/Page"]
    assert slo["total"] == minutes
    assert slo["consumed"] == pytest.approx(float(spent / (minutes * Fraction(5, 100))), rel=1e-9)
    assert 1 < slo["consumed"] < 1.001
