"""``gate anomalies`` as it is called."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.installed import AT, END, LOGS
from tests.command import Run


def test_a_static_backend_keeps_no_history(gate: Run, write_policy: Callable[..., Path]) -> None:
    write_policy()

    done = gate("anomalies", "gate.yaml", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr == "gate: gate.yaml: the backend static keeps no history to look at\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--last", "1h", "--step", "2h"), "--step must not be longer than --last"),
        (
            ("--last", "7d", "--baseline", "7d"),
            "--baseline must be shorter than --last",
        ),
    ],
)
def test_what_cannot_be_looked_for_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("anomalies", "gate.yaml", "--at", AT, *options)

    assert done.exit_code == 2
    assert message in done.stderr


def test_bad_slices_of_request_logs_are_charted(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(
        text=LOGS.replace(
            "sli: {bad: status >= 500}",
            "timeslices: {length: 10m, target: 95%}, sli: {bad: status >= 500}",
        ).replace("99.9%", "90%")
    )
    # A request in each slice of ten minutes over six days: of an hour's six slices the last is bad,
    # and in the last four hours five of them are.
    hours = 6 * 24
    bad = [
        slice_ == 5 or (hour >= hours - 4 and slice_ > 0)
        for hour in range(hours)
        for slice_ in range(6)
    ]
    start = END - timedelta(hours=hours)
    lines = [
        {
            "ts": (start + timedelta(minutes=10 * place + 3)).isoformat(),
            "status": 500 if failed else 200,
        }
        for place, failed in enumerate(bad)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    done = gate("anomalies", "gate.yaml", "--at", AT, "--last", "6d", "--format", "json")

    assert done.exit_code == 0, done.stderr
    (slo,) = json.loads(done.stdout)["services"][0]["slos"]
    (chart,) = slo["charts"]
    per_point = round(chart["step_seconds"] / 600)
    points = [
        sum(bad[place : place + per_point]) / per_point for place in range(0, len(bad), per_point)
    ]
    assert [point["value"] for point in chart["points"]] == pytest.approx(points)
    assert {point["events"] for point in chart["points"]} == {per_point}
    assert chart["centre"] == pytest.approx(1 / 6)
    assert [signal["worse"] for signal in chart["signals"]] == [True]
