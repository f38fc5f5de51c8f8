"""Faults of request logs are found, in files of every format; healthy ones have no finding."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from gate.analysis.doctor.run import examine as examine_files
from gate.backends.logs import doctor
from gate.backends.logs.refusals import unreadable
from gate.config.load import load
from tests.backends.logs.written import write
from tests.doctor.asking import Outcome, examine, levels, run, write_policy, wrong
from tests.presets.logs import litellm_payload as payload

AT: Final = datetime(2026, 10, 31, 12, tzinfo=UTC)
HOURS: Final = 7 * 24
Row = dict[str, Any]


def rows(hours: int = HOURS) -> list[Row]:
    """Return a request every ten minutes, the last one just now; one an hour failed."""
    return [
        {
            "ts": (AT - timedelta(minutes=10 * number)).isoformat(),
            "status": 500 if number % 6 == 3 else 200,
            "ttft_ms": 100 + number % 50,
            "cost": 0.25,
            "request_id": f"r{number}",
        }
        for number in reversed(range(hours * 6))
    ]


SLOS: Final = (
    {"name": "errors", "objective": "50%", "window": "7d", "sli": {"bad": "status >= 500"}},
    {
        "name": "ttft",
        "objective": "50%",
        "window": "7d",
        "sli": {"column": "ttft_ms", "threshold": 1000},
    },
    {"name": "cost", "allowance": "1000", "window": "7d", "sli": {"spent": "cost"}},
)


def diagnosed(
    folder: Path,
    written: Sequence[Row],
    form: str = "jsonl",
    slos: Sequence[Mapping[str, Any]] = SLOS,
    at: datetime = AT,
) -> Outcome:
    write(folder / f"log.{form}", written)
    backend = {"type": "logs", "path": f"log.{form}", "timestamp": "ts"}
    return examine(write_policy(folder, backend, slos), at=at.isoformat())


def said(outcome: Outcome) -> str:
    found = [*outcome.backend, *(one for slo in outcome.slos.values() for one in wrong(slo))]
    return "\n".join(f"{one['message']}: {one['remedy']}" for one in found)


def all_levels(outcome: Outcome) -> dict[str, dict[str, str]]:
    """Return what was found, by SLO; of the logs as a whole by an empty name."""
    found = {"": levels(outcome.policy["backend"])}
    found |= {name: levels(slo) for name, slo in outcome.slos.items()}
    return {name: checks for name, checks in found.items() if checks}


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv.gz", "parquet"])
def test_nothing_is_found_in_healthy_logs(form: str, tmp_path: Path) -> None:
    outcome = diagnosed(tmp_path, rows(), form)

    assert all_levels(outcome) == {}
    assert outcome.code == 0
    seen = {n: [c["message"] for c in s["checks"] if c["message"]] for n, s in outcome.slos.items()}
    assert seen["errors"] == ["168 bad of 1,008", "1,008 rows"]
    assert seen["cost"] == ["252.00 spent", "1,008 rows"]


def test_the_terminal_report_of_healthy_logs_is_a_table(tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", rows())
    backend = {"type": "logs", "path": "log.jsonl", "timestamp": "ts"}
    done = run(write_policy(tmp_path, backend, SLOS), at=AT.isoformat())

    assert done.exit_code == 0
    assert done.stdout.startswith("✔ SOUND  chat\n")
    assert "repeats    no request is logged twice" in done.stdout


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    slo = {**SLOS[0], "sli": {"bad": "statsu >= 500"}}
    outcome = diagnosed(tmp_path, rows(), slos=[slo, SLOS[1]])

    assert all_levels(outcome) == {"errors": {"columns": "fault"}}
    assert 'no column "statsu" in the logs; there are: status' in said(outcome)
    assert outcome.code == 12


def test_timestamps_that_cannot_be_read_are_reported_once(tmp_path: Path) -> None:
    outcome = diagnosed(tmp_path, [{**row, "ts": "noon"} for row in rows(2)])

    assert all_levels(outcome) == {"": {"columns": "fault"}}
    assert "12 rows have no readable timestamp" in said(outcome)


def test_outcomes_that_are_not_known_are_counted(tmp_path: Path) -> None:
    logged = rows()
    for row in logged[100:130]:
        row["ttft_ms"] = row["status"] = None
    outcome = diagnosed(tmp_path, logged)

    assert all_levels(outcome) == {"errors": {"unknown": "doubt"}, "ttft": {"unknown": "doubt"}}
    assert "the outcome of 30 of 1,008 events is NULL" in said(outcome)
    assert outcome.code == 0


def test_a_column_that_is_empty_since_a_day_is_a_doubt(tmp_path: Path) -> None:
    logged = rows()
    for row in logged[-144:]:
        row["status"], row["code"] = None, row["status"]
    bad = {**SLOS[0], "sli": {"bad": "coalesce(status, 0) >= 500"}}
    outcome = diagnosed(tmp_path, logged, slos=[bad])

    assert all_levels(outcome)["errors"] == {"labels": "doubt"}
    assert "144 of these count as good" in said(outcome)


def test_what_total_leaves_out_need_not_be_known(tmp_path: Path) -> None:
    logged = rows()
    for row in logged[100:130]:
        row["ttft_ms"], row["status"] = None, 503
    slo = {**SLOS[1], "sli": {"column": "ttft_ms", "threshold": 1000, "total": "status = 200"}}

    assert all_levels(diagnosed(tmp_path, logged, slos=[slo])) == {}


def test_days_without_a_row_are_named(tmp_path: Path) -> None:
    logged = [row for row in rows() if not "2026-10-27" <= row["ts"][:10] <= "2026-10-28"]
    outcome = diagnosed(tmp_path, logged, slos=SLOS[:1])

    assert all_levels(outcome) == {"errors": {"gaps": "doubt"}}
    assert "2 of 8 days have no row: 2026-10-27, 2026-10-28:" in said(outcome)


def test_of_many_days_without_a_row_a_few_are_named(tmp_path: Path) -> None:
    logged = [row for row in rows() if not "2026-10-25" <= row["ts"][:10] <= "2026-10-30"]
    outcome = diagnosed(tmp_path, logged, slos=SLOS[:1])

    assert "6 of 8 days have no row" in said(outcome)
    assert "2026-10-29 and 1 more" in said(outcome)


def test_logs_that_begin_late_are_a_doubt(tmp_path: Path) -> None:
    outcome = diagnosed(tmp_path, rows(72), slos=SLOS[:1])

    assert all_levels(outcome) == {"errors": {"coverage": "doubt"}}
    assert "the oldest row is of 2026-10-28 12:10 UTC: the logs cover 42% of 7d" in said(outcome)


def test_logs_that_ended_are_stale(tmp_path: Path) -> None:
    outcome = diagnosed(tmp_path, rows(), at=AT + timedelta(hours=3), slos=SLOS[:1])

    assert all_levels(outcome) == {"": {"freshness": "fault"}}
    assert "the newest row is 3h old; the policy's max_age is" in said(outcome)
    assert outcome.code == 12


def test_rows_of_the_future_are_a_doubt(tmp_path: Path) -> None:
    later = {**rows(1)[0], "ts": "2126-01-01T00:00:00Z", "request_id": "later"}
    outcome = diagnosed(tmp_path, [*rows(), later], slos=SLOS[:1])

    assert all_levels(outcome) == {"": {"clock": "doubt"}}
    assert "1 rows are later than our clock" in said(outcome)


def test_a_file_that_is_there_twice_shows_in_order_and_ids(tmp_path: Path) -> None:
    outcome = diagnosed(tmp_path, [*rows(), *rows()], slos=SLOS[:1])

    assert all_levels(outcome) == {"": {"order": "doubt", "repeats": "doubt"}}
    assert "1,008 rows have a request_id that another row has" in said(outcome)
    assert "1 times a row is more than 30m older than the one before it" in said(outcome)


def test_a_service_without_failures_is_sound(tmp_path: Path) -> None:
    # By convention error_type is there only where something failed.
    logged = [{**row, "status": 200, "error_type": None} for row in rows()]
    absent = [{**row, "status": 200} for row in rows()]
    slo = {**SLOS[0], "sli": {"bad": "error_type IS NOT NULL"}}

    assert all_levels(diagnosed(tmp_path, logged, slos=[slo])) == {}
    optional = {"error_type": "VARCHAR"}
    backend = {"type": "logs", "path": "log.jsonl", "timestamp": "ts", "optional": optional}
    write(tmp_path / "log.jsonl", absent)
    outcome = examine(write_policy(tmp_path, backend, [slo]), at=AT.isoformat())
    assert (outcome.code, all_levels(outcome)) == (0, {})


def test_health_checks_that_are_left_out_are_counted(tmp_path: Path) -> None:
    kind = {"objective": "50%", "sli": {"preset": "litellm-payload/errors"}}
    write(tmp_path / "log.jsonl", payload.rows())
    backend = {"type": "logs", "path": "log.jsonl", "records": "litellm-payload"}
    included = {"preset": "litellm-payload/errors", "options": {"health_checks": "included"}}
    slos = [
        {"name": "users", "window": "1d", **kind},
        {"name": "all", "window": "1d", **kind, "sli": included},
    ]
    outcome = examine(write_policy(tmp_path, backend, slos), at=AT.isoformat())

    said_of = {
        name: [check["message"] for check in slo["checks"] if check["check"] == "synthetic"]
        for name, slo in outcome.slos.items()
    }
    assert said_of == {"users": [f"health checks left out: {payload.HEALTH_CHECKS}"], "all": []}


def test_health_checks_of_logs_without_a_count_are_not_known(tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", payload.rows())
    backend = {"type": "logs", "path": "log.jsonl", "records": "litellm-payload"}
    slo = {**SLOS[0], "window": "1h", "sli": {"preset": "litellm-payload/errors"}}
    later = (AT + timedelta(days=9)).isoformat()
    outcome = examine(write_policy(tmp_path, backend, [slo]), at=later)

    (words,) = [
        check["message"]
        for check in outcome.slos["errors"]["checks"]
        if check["check"] == "synthetic"
    ]
    assert words == "how many health checks are left out is not known without a count"


def test_without_an_id_repeats_are_not_looked_for(tmp_path: Path) -> None:
    logged = [{k: v for k, v in row.items() if k != "request_id"} for row in rows()]
    outcome = diagnosed(tmp_path, logged, slos=SLOS[:1])

    assert "repeats" not in [one["check"] for one in outcome.policy["backend"]["checks"]]


def test_what_an_id_shows_is_not_said_to_be_unchecked(tmp_path: Path) -> None:
    backend = {"type": "logs", "path": "log.jsonl", "timestamp": "ts"}
    path = write_policy(tmp_path, backend, SLOS[:1])
    unchecked = []
    for left_out in ("nothing", "request_id"):
        log = [{k: v for k, v in row.items() if k != left_out} for row in rows()]
        write(tmp_path / "log.jsonl", log)
        report = run(path, at=AT.isoformat()).stdout
        unchecked.append("requests that are logged twice without an id" in report)

    assert unchecked == [False, True]


def test_no_file_at_all_is_exit_code_3(tmp_path: Path) -> None:
    backend = {"type": "logs", "path": "nothing/*.jsonl", "timestamp": "ts"}
    outcome = examine(write_policy(tmp_path, backend, SLOS), at=AT.isoformat())

    assert all_levels(outcome) == {"": {"reach": "fault"}}
    assert "no file matches" in said(outcome)
    assert outcome.code == 3


def test_a_window_without_rows_has_no_data(tmp_path: Path) -> None:
    slo = {**SLOS[0], "window": "1h"}
    outcome = diagnosed(tmp_path, rows(), at=AT + timedelta(hours=2), slos=[slo, SLOS[1]])

    assert all_levels(outcome)["errors"] == {"counted": "fault"}
    assert "no_data: the logs have no row between" in said(outcome)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: all used"), "needs more memory"),
        (None, "took longer than"),
    ],
)
def test_a_survey_that_fails_is_reported_beside_the_counts(
    error: duckdb.Error | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error or unreadable("reading the logs took longer than 1s")

    monkeypatch.setattr(doctor, "survey", fail)
    write(tmp_path / "log.jsonl", rows())
    backend = {"type": "logs", "path": "log.jsonl", "timestamp": "ts"}
    path = write_policy(tmp_path, backend, SLOS)
    checkup = examine_files([load(str(path), {})], at=AT, timeout=timedelta(seconds=60))

    (policy,) = checkup.policies
    assert [one.check for one in policy.backend] == ["reach"]
    assert words in policy.backend[0].message
    assert policy.slos[0].results[0].message == "168 bad of 1,008"
    assert checkup.exit_code == 3
