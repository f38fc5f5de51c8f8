"""``--period last``: the calendar period that has just ended, as a whole."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command import Run

ROW = timedelta(minutes=10)
FIRST, END = datetime(2026, 8, 30, tzinfo=UTC), datetime(2026, 11, 3, 12, tzinfo=UTC)
OUTAGE = datetime(2026, 10, 20, 14, tzinfo=UTC)
NOW = "2026-11-03T09:00:00Z"
MONTH, SLI = "{calendar: month}", "bad: status >= 500"


@pytest.fixture
def logs(tmp_path: Path) -> None:
    """A row in ten minutes; two hours of October failed, and all of November."""
    rows = []
    at = FIRST
    while at <= END:
        failed = OUTAGE < at <= OUTAGE + timedelta(hours=2) or at.month == 11
        rows.append(json.dumps({"ts": at.isoformat(), "status": 500 if failed else 200}))
        at += ROW
    (tmp_path / "log.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write(folder: Path, *windows: str) -> None:
    slos = "".join(
        f"  - {{name: slo-{number}, objective: 99%, window: {window}, sli: {{{SLI}}}}}\n"
        for number, window in enumerate(windows)
    )
    (folder / "gate.yaml").write_text(
        "version: 1\nservice: chat\nbackend: {type: logs, path: log.jsonl, timestamp: ts}\n"
        f"max_age: 1h\nslos:\n{slos}tiers:\n"
        '  - {name: healthy, remaining: "> 50%", allow: all}\n'
        "  - {name: rest, otherwise: true, allow: [rollback]}\n",
        encoding="utf-8",
    )


def status(gate: Run, *options: str) -> dict[str, Any]:
    done = gate("status", "gate.yaml", "--format", "json", *options)
    assert done.exit_code == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.usefixtures("logs")
def test_the_last_month_is_reported_as_a_whole_at_its_end(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, MONTH, "7d")
    document = status(gate, "--at", NOW, "--period", "last")
    month, week = document["policies"][0]["slos"]

    assert document["evaluated_at"] == "2026-11-01T00:00:00Z"
    assert (month["window_start"], month["window_end"]) == (
        "2026-10-01T00:00:00Z",
        "2026-11-01T00:00:00Z",
    )
    # 31 days of 144 rows; of the outage twelve, and the last row of October is the first of
    # November, when all failed: the end belongs to a span.
    assert (month["total"], month["bad"]) == (31 * 144, 13)
    assert month["remaining"] == pytest.approx(1 - 13 / (0.01 * 31 * 144))
    assert month["burn_down"]["start"] == "2026-10-01T00:00:00Z"
    assert month["burn_down"]["left"][-1] == month["remaining"]
    assert (week["total"], week["bad"]) == (7 * 144, 1)


@pytest.mark.usefixtures("logs")
def test_at_the_very_end_of_a_period_it_is_that_one(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, MONTH)

    for at, start in (
        ("2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        ("2026-10-31T23:59:59Z", "2026-09-01T00:00:00Z"),
    ):
        (month,) = status(gate, "--at", at, "--period", "last")["policies"][0]["slos"]
        assert month["window_start"] == start


@pytest.mark.usefixtures("logs")
def test_of_windows_of_several_lengths_it_is_the_longest(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, "{calendar: week}", "{calendar: month, time_zone: Europe/Berlin}")
    document = status(gate, "--at", NOW, "--period", "last")
    week, month = document["policies"][0]["slos"]

    assert document["evaluated_at"] == "2026-10-31T23:00:00Z"  # Berlin is an hour ahead
    assert month["window_start"] == "2026-09-30T22:00:00Z"
    assert (week["window_start"], week["window_end"]) == (
        "2026-10-26T00:00:00Z",
        "2026-10-31T23:00:00Z",
    )


@pytest.mark.usefixtures("logs")
def test_a_period_that_is_over_has_no_forecast(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, MONTH)

    over, present = (
        gate("status", "gate.yaml", "--at", NOW, *options).stdout
        for options in (("--period", "last"), ())
    )
    assert "forecast       none: the period is over" in over
    assert "the period is over" not in present
    assert "headroom" not in over


@pytest.mark.usefixtures("logs")
def test_a_report_and_its_incidents_are_those_of_the_period(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, MONTH)
    asked = ["gate.yaml", "--at", NOW, "--period", "last"]
    document = json.loads(gate("report", *asked, "--format", "json").stdout)
    text = gate("report", *asked, "--format", "terminal").stdout
    html = gate("report", *asked).stdout

    assert document["period"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    assert document["incidents"]["from"] == "2026-10-01T00:00:00Z"
    assert "The period from 2026-10-01 00:00 UTC to 2026-11-01 00:00 UTC, which is over" in text
    assert "Forecast" not in html
    assert ">At its end</h2>" in html
    assert "May ship" not in html + text
    assert "LASTS" not in text

    found = json.loads(gate("incidents", *asked, "--format", "json").stdout)
    (service,) = found["services"]
    starts = [incident["start"] for incident in service["incidents"]]
    assert (found["from"], found["to"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    assert "2026-10-20T14:05:00Z" in starts  # the step of five minutes that ends with 14:10
    shorter = json.loads(gate("incidents", *asked, "--last", "2d", "--format", "json").stdout)
    assert shorter["from"] == "2026-10-30T00:00:00Z"


@pytest.mark.usefixtures("logs")
def test_without_a_calendar_window_no_period_has_ended(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, "30d")
    done = gate("status", "gate.yaml", "--at", NOW, "--period", "last")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "gate: gate.yaml: no SLO has a calendar window, so no period has ended; for windows that"
        " end at the last midnight, give the instant 2026-11-03T00:00:00Z\n"
    )


@pytest.mark.usefixtures("logs")
def test_periods_that_ended_at_different_instants_are_refused(gate: Run, tmp_path: Path) -> None:
    write(tmp_path, MONTH, "{calendar: month, time_zone: Europe/Berlin}")
    done = gate("report", "gate.yaml", "--at", NOW, "--period", "last")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "slo-0 at 2026-11-01T00:00:00Z, slo-1 at 2026-10-31T23:00:00Z" in done.stderr
