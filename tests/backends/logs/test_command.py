"""Through the command: no failure of the logs ends with 0, unless the policy says so."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.backends.logs.written import AT, before, text_of, write
from tests.command import Result, environment, gate

POLICY = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: logs, path: "logs/*", timestamp: ts}
slos:
  - {name: availability, objective: 90%, window: 1d, sli: {bad: status >= 500}}
  - {name: ttft, objective: 90%, window: 1d, sli: {column: ttft_ms, threshold: 2000}}
  - {name: spend, allowance: 100 USD, window: {calendar: month}, sli: {spent: cost}}
tiers:
  - {name: healthy, remaining: "> 10%", allow: all}
  - {name: exhausted, otherwise: true, allow: [rollback]}
min_coverage: 0%
"""
LET_IT_PASS = (
    "on: {no_data: allow, no_traffic: allow, invalid: allow, stale: allow, partial: allow,"
    " backend_error: allow}\n"
)
ROWS: list[dict[str, Any]] = [
    {"ts": before(n * 60), "status": 200, "ttft_ms": 100.5, "cost": 0.5} for n in range(100)
]
Break = Callable[[Path], None]
BREAKINGS: dict[str, Break] = {}
TEXT = text_of(ROWS, "jsonl")
ONE = {**ROWS[0]}


def breaking(function: Break) -> Break:
    BREAKINGS[function.__name__.replace("_", " ")] = function
    return function


@breaking
def no_folder(_: Path) -> None: ...


@breaking
def no_file(logs: Path) -> None:
    logs.mkdir()


@breaking
def an_empty_file(logs: Path) -> None:
    write(logs / "a.jsonl", [])


@breaking
def a_folder_that_is_named_like_a_log(logs: Path) -> None:
    write(logs / "a.jsonl", ROWS)
    (logs / "b.jsonl").mkdir()


@breaking
def a_cut_gzip_file(logs: Path) -> None:
    write(logs / "a.jsonl.gz", []).write_bytes(gzip.compress(TEXT)[:-9])


@breaking
def a_cut_zstd_file(logs: Path) -> None:
    log = write(logs / "a.jsonl.zst", ROWS)
    log.write_bytes(log.read_bytes()[:-3])


@breaking
def a_cut_parquet_file(logs: Path) -> None:
    log = write(logs / "a.parquet", ROWS)
    log.write_bytes(log.read_bytes()[:-1])


@breaking
def a_cut_line(logs: Path) -> None:
    write(logs / "a.jsonl", []).write_bytes(TEXT[:-20] + b"\n")


@breaking
def several_formats(logs: Path) -> None:
    write(logs / "a.csv", ROWS)
    write(logs / "a.jsonl", ROWS)


@breaking
def another_schema(logs: Path) -> None:
    write(logs / "a.jsonl", ROWS)
    write(logs / "b.jsonl", [{"ts": before(1), "code": 200, "ms": 1, "usd": 1}])


@breaking
def missing_columns(logs: Path) -> None:
    write(logs / "a.csv", [{"ts": before(1), "code": 200}])


@breaking
def only_old_rows(logs: Path) -> None:
    write(logs / "a.parquet", [{**ONE, "ts": "2026-09-01T00:00:00Z"}])


@breaking
def only_rows_from_the_future(logs: Path) -> None:
    write(logs / "a.parquet", [{**ONE, "ts": before(-60)}])


@breaking
def stale_rows(logs: Path) -> None:
    write(logs / "a.parquet", ROWS[30:])


@breaking
def naive_timestamps(logs: Path) -> None:
    write(logs / "a.jsonl", [*ROWS, {**ONE, "ts": "2026-10-31T11:00:00"}])


@breaking
def one_row_without_time(logs: Path) -> None:
    write(logs / "a.jsonl", [*ROWS, {**ONE, "ts": None}])


@breaking
def values_of_the_wrong_type(logs: Path) -> None:
    write(logs / "a.csv", [{**ONE, "status": "OK", "ttft_ms": "fast", "cost": "much"}])


def run(folder: Path, policy: str, form: str = "json") -> Result:
    (folder / "gate.yaml").write_text(policy, encoding="utf-8")
    arguments = ("check", "gate.yaml", "--change", "canary", "--at", AT.isoformat())
    return gate(*arguments, "--format", form, cwd=folder)


def statuses(done: Result) -> list[str]:
    return [slo["status"] for slo in json.loads(done.stdout)["policies"][0]["slos"]]


def test_logs_that_are_as_they_should_be_allow_with_0(tmp_path: Path) -> None:
    write(tmp_path / "logs" / "a.jsonl", ROWS)

    done = run(tmp_path, POLICY)

    assert done.exit_code == 0, done.stderr
    slos = json.loads(done.stdout)["policies"][0]["slos"]
    assert [(slo["total"], slo["bad"]) for slo in slos[:2]] == [(100, 0)] * 2


@pytest.mark.variants(3)
@pytest.mark.parametrize("broken", BREAKINGS.values(), ids=BREAKINGS.keys())
def test_what_cannot_be_measured_is_undecided_with_3(tmp_path: Path, broken: Break) -> None:
    broken(tmp_path / "logs")

    done = run(tmp_path, POLICY)

    assert done.exit_code == 3, done.stdout + done.stderr
    assert "measured" not in statuses(done)[:2]


@pytest.mark.variants(3)
@pytest.mark.parametrize("broken", BREAKINGS.values(), ids=BREAKINGS.keys())
def test_a_policy_that_lets_it_pass_is_reported_that_nothing_was_measured(
    tmp_path: Path, broken: Break
) -> None:
    broken(tmp_path / "logs")

    done = run(tmp_path, POLICY + LET_IT_PASS, "terminal")

    assert done.exit_code == 0, done.stdout + done.stderr
    if broken is not stale_rows:
        assert "nothing was measured" in done.stdout.lower()
    assert "100% left" not in done.stdout


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "condition",
    [
        "true) --",
        "1); DROP TABLE rows",
        "(SELECT false)",
        "now() IS NULL",
        "status",
        "stauts >= 500",
        "status::VARCHAR = '500'",
    ],
)
def test_an_expression_that_is_none_is_undecided_with_3(tmp_path: Path, condition: str) -> None:
    write(tmp_path / "logs" / "a.jsonl", ROWS)

    done = run(tmp_path, POLICY.replace("status >= 500", json.dumps(condition)))

    assert done.exit_code == 3, done.stdout + done.stderr
    assert statuses(done)[0] == "invalid"


@pytest.mark.variants(2)
@pytest.mark.parametrize("cost", [b"-1", b"NaN", b"Infinity", b"null"])
def test_an_amount_that_is_none_is_undecided_with_3(tmp_path: Path, cost: bytes) -> None:
    log = write(tmp_path / "logs" / "a.jsonl", [])
    log.write_bytes(TEXT.replace(b'"cost": 0.5', b'"cost": ' + cost))

    done = run(tmp_path, POLICY)

    assert done.exit_code == 3, done.stdout + done.stderr
    assert statuses(done)[2] in {"invalid", "no_data"}


def test_without_duckdb_the_command_says_what_to_install_and_exits_2(tmp_path: Path) -> None:
    write(tmp_path / "logs" / "a.jsonl", ROWS)
    (tmp_path / "gate.yaml").write_text(POLICY)
    code = (
        "import sys; from importlib import metadata; real = metadata.version\n"
        "def version(name):\n"
        "    if name == 'duckdb': raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.version = version; sys.modules['duckdb'] = None\n"
        "from gate.cli.main import run; sys.argv = ['gate', 'check', 'gate.yaml']; run()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "pip install 'duckdb>=2'" in done.stderr


@pytest.mark.parametrize("condition", ["read_csv('/etc/passwd') IS NULL", "count(*) < 0"])
def test_a_condition_without_a_column_is_a_mistake_of_the_policy(
    tmp_path: Path, condition: str
) -> None:
    write(tmp_path / "logs" / "a.jsonl", ROWS)

    done = run(tmp_path, POLICY.replace("status >= 500", json.dumps(condition)))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "names no column" in done.stderr
