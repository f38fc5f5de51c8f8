"""The command on a table of a real PostgreSQL, as a user runs it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.command import Result, gate
from tests.servers.postgres import OWNER, PASSWORD, READER, Postgres

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTES = 10 * 1440
POLICY = f"""
version: 1
service: chat
backend:
  type: postgres
  url: URL
  user: {READER}
  password: "${{PASSWORD}}"
  table: LoggedRequests
  timestamp: startedAt
slos:
  - {{name: errors, objective: 99%, window: 7d, sli: {{bad: status >= 500}}}}
  - {{name: fast, objective: 90%, window: 7d, sli: {{column: latencyMs, threshold: 2000}}}}
tiers:
  - {{name: healthy, remaining: "> 50%", allow: all}}
  - {{name: exhausted, otherwise: true, allow: [rollback]}}
"""


@pytest.fixture(scope="module")
def table(postgres_server: Postgres) -> Iterator[Postgres]:
    """Fill a table with a request a minute; all of two hours failed, and all of one model's."""
    postgres_server.run(
        'CREATE TABLE "LoggedRequests" ("startedAt" timestamptz NOT NULL, status int,'
        ' "latencyMs" float8, model text)',
        'INSERT INTO "LoggedRequests"'
        f" SELECT TIMESTAMPTZ '{AT.isoformat()}' - n * interval '1 min',"
        " CASE WHEN n BETWEEN 3000 AND 3119 THEN 500 ELSE 200 END, n % 1000 + 900,"
        " CASE WHEN n % 4 = 0 THEN 'small' ELSE 'large' END"
        f" FROM generate_series(0, {MINUTES - 1}) AS numbers (n)",
        f'GRANT SELECT ON "LoggedRequests" TO {READER}',
    )
    yield postgres_server
    postgres_server.run('DROP TABLE "LoggedRequests"')


def run(table: Postgres, folder: Path, *arguments: str, policy: str = POLICY) -> Result:
    (folder / "gate.yaml").write_text(policy.replace("URL", table.url), encoding="utf-8")
    command, *more = arguments
    return gate(
        *(command, "gate.yaml", "--at", AT.isoformat(), *more),
        cwd=folder,
        env={"PASSWORD": PASSWORD},
    )


def test_a_check_blocks_and_says_when_it_recovers(table: Postgres, tmp_path: Path) -> None:
    done = run(table, tmp_path, "check", "--change", "canary")

    assert done.exit_code == 10, done
    assert "120 of 10,080" in done.stdout  # a week of minutes
    assert "overspent by 19.1%" in done.stdout  # 120 of the 100.8 that may fail
    # The last of them was 3000 minutes ago, and leaves the window a week after it happened.
    assert "2026-11-25" in done.stdout


def test_status_has_the_counts(table: Postgres, tmp_path: Path) -> None:
    done = run(table, tmp_path, "status", "--format", "json")

    slos = {slo["name"]: slo for slo in json.loads(done.stdout)["policies"][0]["slos"]}
    slow = sum(n % 1000 + 900 > 2000 for n in range(7 * 1440))
    assert (float(slos["errors"]["bad"]), float(slos["errors"]["total"])) == (120, 10080)
    assert (float(slos["fast"]["bad"]), float(slos["fast"]["total"])) == (slow, 10080)


def test_the_doctor_says_nothing_of_a_reader(table: Postgres, tmp_path: Path) -> None:
    table.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    done = run(table, tmp_path, "doctor")

    assert done.exit_code == 0, done
    said = " ".join(done.stdout.split())
    assert "reader may read LoggedRequests and do nothing else with it" in said
    assert "120 bad of 10,080" in said


def test_the_doctor_says_what_a_user_may_do_more(table: Postgres, tmp_path: Path) -> None:
    login = f'user: {READER}\n  password: "${{PASSWORD}}"'
    done = run(table, tmp_path, "doctor", policy=POLICY.replace(login, f"user: {OWNER}"))

    assert "owner may do more than a count needs: SUPERUSER" in " ".join(done.stdout.split())


def test_the_doctor_says_why_nothing_could_be_checked(table: Postgres, tmp_path: Path) -> None:
    done = run(table, tmp_path, "doctor", policy=POLICY.replace("LoggedRequests", "LoggedRequest"))

    assert done.exit_code in {3, 12}, done
    said = " ".join(done.stdout.split())
    assert "the database has no table LoggedRequest; did you mean" in said
    assert "correct backend.table" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("incidents", "--last", "7d"), "2h"),
        (("forecast",), "errors"),
        (("cohorts", "--by", "model", "--last", "7d"), "small"),
        (("anomalies", "--last", "7d"), "errors"),
        (("review",), "errors"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_analysis_works(
    table: Postgres, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run(table, tmp_path, *arguments)

    assert done.exit_code in {0, 3}, done
    assert words in done.stdout
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("words", [("--backend", "postgres"), ("--server", "litellm-postgres")])
def test_a_first_policy_is_sound(tmp_path: Path, words: tuple[str, str]) -> None:
    environ = {"DATABASE_URL": "postgresql://gate:s3cret-word@db.example/app"}
    written = gate("init", "new.yaml", *words, cwd=tmp_path)
    assert written.exit_code == 0, written

    done = gate("validate", "new.yaml", cwd=tmp_path, env=environ)

    assert (done.exit_code, done.stderr) == (0, "")
    assert 'url: "${DATABASE_URL}"' in (tmp_path / "new.yaml").read_text(encoding="utf-8")
