"""Planted shifts, found by the command on real servers and in request logs alike."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import gate
from tests.live.command import NOW, TIERS, check
from tests.live.shifts import (
    FAILING,
    HOUR,
    HOURS,
    OUTAGE,
    SLOW,
    START,
    hours,
    write_log,
    write_metrics,
)
from tests.servers.metrics import backfill, prometheus, victoria

pytestmark = pytest.mark.slow

DELAY = 6 * HOUR
"""After so long a shift of 2 sigmas and more is seen; the averages take 4 points in the mean."""
METRICS = {
    "errors": {"bad": 'requests_total{code="500"}', "total": "requests_total"},
    "ttft": {"histogram": "ttft_seconds", "threshold": "1s", "unit": "s"},
}
COLUMNS = {"errors": {"bad": "failed"}, "ttft": {"column": "ttft", "threshold": 1}}
BACKENDS = ("prometheus", "victoria", "logs")


def write_policy(folder: Path, backend: dict[str, Any], slis: dict[str, Any]) -> Path:
    document = {
        "version": 1,
        "service": "chat",
        "owners": ["@acme"],
        "backend": backend,
        "slos": [
            {"name": name, "objective": "90%", "window": "14d", "sli": sli}
            for name, sli in slis.items()
        ],
        "tiers": TIERS,
        "control_charts": "warn",
        "max_age": "1h",
    }
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Run both servers with the fortnight; return a policy for each, and for the log."""
    folders = {name: tmp_path_factory.mktemp(name) for name in BACKENDS}
    text = folders["logs"] / "metrics.om"
    write_metrics(text)
    write_log(folders["logs"] / "requests.jsonl")
    backfill(text, folders["prometheus"] / "blocks")
    with (
        prometheus(folders["prometheus"], folders["prometheus"] / "blocks") as one,
        victoria(folders["victoria"], text) as other,
    ):
        yield {
            **{
                name: write_policy(folders[name], {"type": "prometheus", "url": url}, METRICS)
                for name, url in (("prometheus", one.url), ("victoria", other.url))
            },
            "logs": write_policy(
                folders["logs"],
                {"type": "logs", "path": "requests.jsonl", "timestamp": "ts"},
                COLUMNS,
            ),
        }


@pytest.fixture(scope="module")
def found(policies: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """Return what ``gate anomalies`` says of each."""
    return {name: anomalies(path) for name, path in policies.items()}


def anomalies(path: Path, *options: str) -> dict[str, Any]:
    done = gate("anomalies", str(path), "--at", NOW, "--format", "json", *options)
    assert done.exit_code == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def chart(document: dict[str, Any], slo: str, kind: str) -> dict[str, Any]:
    (service,) = document["services"]
    (charts,) = [one["charts"] for one in service["slos"] if one["name"] == slo]
    (drawn,) = [one for one in charts if one["kind"] == kind]
    assert isinstance(drawn, dict)
    return drawn


def worse(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in drawn["signals"] if one["worse"]]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_point_is_what_happened_in_its_hour(
    found: dict[str, dict[str, Any]], backend: str
) -> None:
    ratio = chart(found[backend], "errors", "ratio")["points"]
    mean = chart(found[backend], "ttft", "mean")["points"]

    assert [one["value"] for one in ratio] == pytest.approx(
        [sum(one.failed for one in made) / len(made) for made in hours()], rel=1e-6
    )
    assert [one["value"] for one in mean] == pytest.approx(
        [sum(one.seconds for one in made) / len(made) for made in hours()], rel=1e-6
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_failures_that_double_are_found_where_they_began(
    found: dict[str, dict[str, Any]], backend: str
) -> None:
    (signal,) = worse(chart(found[backend], "errors", "ratio"))

    assert abs(instant(signal["since"]) - FAILING) <= DELAY
    assert timedelta() < instant(signal["detected_at"]) - FAILING <= DELAY
    assert signal["end"] is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_slow_day_is_found_against_the_daily_rhythm(
    found: dict[str, dict[str, Any]], backend: str
) -> None:
    drawn = chart(found[backend], "ttft", "mean")
    (signal,) = worse(drawn)
    began, ended = SLOW

    assert drawn["by_time_of_day"]
    assert abs(instant(signal["since"]) - began) <= DELAY
    assert timedelta() < instant(signal["detected_at"]) - began <= DELAY
    # The average stays up for a while after what was slow is over.
    assert ended - HOUR <= instant(signal["end"]) <= ended + 2 * DELAY


def test_an_outage_in_the_baseline_is_left_out_of_what_is_usual(
    found: dict[str, dict[str, Any]],
) -> None:
    drawn = chart(found["prometheus"], "errors", "ratio")

    assert drawn["baseline"]["in_incidents"] == 1
    (spoilt,) = [one for one in drawn["points"] if one["used_as"] == "incident"]
    assert instant(spoilt["start"]) == OUTAGE
    assert drawn["centre"] == pytest.approx(0.05, abs=0.003)


def test_all_three_draw_the_same_charts(found: dict[str, dict[str, Any]]) -> None:
    one, *others = (
        [
            (signal["since"], signal["end"], signal["rules"])
            for slo, kind in (("errors", "ratio"), ("ttft", "ratio"), ("ttft", "mean"))
            for signal in chart(document, slo, kind)["signals"]
        ]
        for document in found.values()
    )
    assert others == [one, one]


@pytest.mark.parametrize("backend", ["prometheus", "logs"])
def test_the_rule_warns_of_what_still_goes_on(policies: dict[str, Path], backend: str) -> None:
    outcome = check(policies[backend])
    (policy,) = outcome.decision["policies"]
    charts = [one for one in policy["findings"] if one["rule"] == "control-chart"]

    assert outcome.code == 0
    assert [(one["slo"], one["verdict"]) for one in charts if one["slo"]] == [("errors", "warn")]
    assert charts[0]["reason"].startswith("the ratio of bad events is worse than usual since about")


def test_before_anything_had_shifted_all_was_in_control(policies: dict[str, Path]) -> None:
    at = (START + (HOURS - 82) * HOUR).isoformat()
    asked = ("--last", "10d", "--baseline", "7d", "--at", at)

    document = anomalies(policies["victoria"], *asked)

    assert worse(chart(document, "errors", "ratio")) == []
    assert worse(chart(document, "ttft", "mean")) == []
