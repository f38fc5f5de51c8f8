"""The command's output on a table of a Spark server."""

import json
from pathlib import Path

from tests.backends.spark.opened import DAYS, EVERY, PER_DAY
from tests.command import Run


def write_policy(folder: Path, url: str, table: str) -> None:
    policy = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "spark", "url": url, "table": table, "timestamp": "ts"},
        "slos": [
            {"name": "errors", "objective": "95%", "window": "7d", "sli": {"bad": "status >= 500"}}
        ],
        "tiers": [{"name": "all", "otherwise": True, "allow": "all"}],
    }
    (folder / "gate.yaml").write_text(json.dumps(policy), encoding="utf-8")


END = f"2026-11-{DAYS + 1:02d}T00:00:00Z"


def test_doctor_finds_nothing_wrong_with_a_sound_table(
    sail_server: str, table: str, gate: Run, tmp_path: Path
) -> None:
    write_policy(tmp_path, sail_server, table)

    result = gate("doctor", "gate.yaml", f"--at={END}")

    assert result.exit_code == 0, result
    assert "the server does not say which" in result.stdout
    assert "Traceback" not in result.stderr


def test_status_shows_what_is_left(sail_server: str, table: str, gate: Run, tmp_path: Path) -> None:
    write_policy(tmp_path, sail_server, table)

    result = gate("status", "gate.yaml", f"--at={END}")

    # The minutes of seven days but for the first, which begins the window, and the last row's end.
    total = 7 * PER_DAY - 1
    bad = sum(minute % EVERY == 0 for minute in range((DAYS - 7) * PER_DAY + 1, DAYS * PER_DAY))
    assert result.exit_code == 0, result
    assert f"{bad} of {total:,}" in result.stdout


def test_table_that_is_too_large_is_not_read(
    sail_server: str, table: str, gate: Run, tmp_path: Path
) -> None:
    write_policy(tmp_path, sail_server, table)

    result = gate("check", "gate.yaml", "--change=canary", f"--at={END}", "--max-scan=1kB")

    assert result.exit_code == 3, result
    assert "1 kB" in result.stdout
