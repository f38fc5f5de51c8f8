"""Every engine reports a fault of a table, a column, a type, a right or a login in the same way.

None of it ends with exit code 0: it is 3, as of everything that could not be measured.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.command import gate
from tests.servers.clickhouse import PASSWORD as CLICKHOUSE_PASSWORD
from tests.servers.clickhouse import ClickHouse
from tests.servers.postgres import PASSWORD as POSTGRES_PASSWORD
from tests.servers.postgres import READER, Postgres
from tests.servers.spark import sail

pytestmark = pytest.mark.real
POSTGRES = (
    "CREATE SCHEMA wrong",
    "CREATE TABLE wrong.requests (ts timestamptz, wall timestamp, day date, status int, route text,"
    " ms float8)",
    "INSERT INTO wrong.requests VALUES ('2026-10-31 23:00:00+00', '2026-10-31 23:00:00',"
    " '2026-10-31', 200, '/chat', 1.5)",
    "CREATE TABLE wrong.secrets (ts timestamptz, status int)",
    "CREATE VIEW wrong.hidden AS SELECT * FROM wrong.requests",
    f"GRANT USAGE ON SCHEMA wrong TO {READER}",
    f"GRANT SELECT ON wrong.requests TO {READER}",
)
CLICKHOUSE = (
    "CREATE DATABASE wrong",
    "CREATE TABLE wrong.requests (ts DateTime64(3), wall String, day Date, status Int32,"
    " route String, ms Float64) ENGINE = MergeTree ORDER BY ts",
    "INSERT INTO wrong.requests VALUES ('2026-10-31 23:00:00', '2026-10-31 23:00:00', '2026-10-31',"
    " 200, '/chat', 1.5)",
)
SPARK = (
    "SELECT TIMESTAMPTZ '2026-10-31 23:00:00+00' AS ts, TIMESTAMP '2026-10-31 23:00:00' AS wall,"
    " DATE '2026-10-31' AS day, 200 AS status, '/chat' AS route, 1.5::DOUBLE AS ms"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An engine with a table, and what messages call the types there."""

    block: Mapping[str, Any]
    password: str
    integer: str
    text: str
    table: str = "wrong.requests"


@pytest.fixture(scope="module", params=["postgres", "clickhouse", "spark"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    if request.param == "spark":
        folder = tmp_path_factory.mktemp("spark")
        duckdb.sql(f"COPY ({SPARK}) TO '{folder}/requests.parquet'")
        with sail(folder) as address:
            yield Store(
                block={"type": "spark", "url": address},
                password="",
                integer="int",
                text="string",
                table=f"parquet.`{folder}/requests.parquet`",
            )
        return
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        server.run(*POSTGRES)
        block = {"type": "postgres", "url": server.url, "user": READER}
        yield Store(block=block, password=POSTGRES_PASSWORD, integer="integer", text="text")
        server.run("DROP SCHEMA wrong CASCADE")
        return
    clickhouse: ClickHouse = request.getfixturevalue("clickhouse_server")
    for statement in CLICKHOUSE:
        clickhouse.run(statement)
    block = {"type": "clickhouse", "url": clickhouse.url, "user": "gate"}
    yield Store(block=block, password=CLICKHOUSE_PASSWORD, integer="Int32", text="String")
    clickhouse.run("DROP DATABASE wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A fault of a policy, and words that every engine's message has."""

    words: tuple[str, ...]
    block: Mapping[str, Any] = field(default_factory=dict)
    sli: Mapping[str, Any] = field(default_factory=lambda: {"bad": "status >= 500"})
    password: str | None = None
    on_spark: tuple[str, ...] | None = None
    """Spark's words, where they differ; None: the same."""


CASES = {
    "no such table": Wrong(
        block={"table": "wrong.nowhere"},
        words=("nowhere", "backend.table"),
        on_spark=("it has no such table or path", "correct backend.table"),
    ),
    "no such schema": Wrong(
        block={"table": "nope.requests"},
        words=("nope", "backend.table"),
        on_spark=("it has no such table or path", "correct backend.table"),
    ),
    "no such time": Wrong(block={"timestamp": "tz"}, words=('no column "tz"', "there are: ts,")),
    "no such column": Wrong(
        sli={"bad": "statuss >= 500"}, words=('no column "statuss"', "there are: status,")
    ),
    "no such threshold": Wrong(
        sli={"column": "mss", "threshold": 5}, words=('no column "mss"', "there are: ms,")
    ),
    "no such column in where": Wrong(
        block={"where": "project = 1"}, words=('no column "project"', "there are:")
    ),
    "a column of the system": Wrong(sli={"bad": "ctid IS NULL"}, words=('no column "ctid"',)),
    "the whole row": Wrong(sli={"bad": "requests IS NULL"}, words=('no column "requests"',)),
    "a number for a condition": Wrong(
        sli={"bad": "status"}, words=("bad: 'status' is of type {integer}", "status >= 500")
    ),
    "a text for a condition": Wrong(
        sli={"good": "route"}, words=("good: 'route' is of type {text}", "a condition is expected")
    ),
    "a number in where": Wrong(
        block={"where": "status + 1"}, words=("where: 'status + 1' is of type", "a condition")
    ),
    "a text against a number": Wrong(
        sli={"bad": "route >= 500"},
        words=("bad: 'route >= 500': ", "(route is {text})"),
        on_spark=("does not fit the expression", "write try_cast"),  # it casts each text
    ),
    "a threshold of a text": Wrong(
        sli={"column": "route", "threshold": 5},
        words=('column "route" is of type {text}', "a threshold needs a number"),
    ),
    "a text is spent": Wrong(
        sli={"spent": "route"}, words=("spent: 'route' is of type {text}", "a number is expected")
    ),
    "a condition is spent": Wrong(
        sli={"spent": "status >= 500"}, words=("spent: 'status >= 500' is", "a number is expected")
    ),
    "a text for a time": Wrong(
        block={"timestamp": "route"}, words=('"route" is of type {text}', "name a column of a time")
    ),
    "a number for a time": Wrong(
        block={"timestamp": "status"}, words=('"status" is of type {integer}', "set time_format to")
    ),
    "a date for a time": Wrong(block={"timestamp": "day"}, words=('"day" is of type', "no time")),
    "a format of a time": Wrong(
        block={"time_format": "unix-ms"}, words=("time_format is for whole numbers", "leave it out")
    ),
    "a wrong password": Wrong(
        password="wrong-one",
        words=("password", "check backend.user"),
    ),
    "nobody listens": Wrong(
        block={"url": "{scheme}://127.0.0.1:1"},
        words=("refused", "check the host and port of backend.url"),
    ),
}


def said(folder: Path, store: Store, wrong: Wrong) -> str:
    """Return why nothing was measured, as the command says it in JSON."""
    scheme = {"postgres": "postgresql", "clickhouse": "http", "spark": "sc"}[store.block["type"]]
    own = {key: str(value).format(scheme=scheme) for key, value in wrong.block.items()}
    table = {"table": store.table, "timestamp": "ts"}
    if store.password:
        table["password"] = "${PASSWORD}"
    spent = "spent" in wrong.sli
    slo = {"name": "a", "window": "1d", "sli": dict(wrong.sli)}
    policy = {
        "version": 1,
        "service": "chat",
        "backend": {**store.block, **table, **own},
        "slos": [{**slo, **({"allowance": "9"} if spent else {"objective": "99%"})}],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    path = folder / "gate.yaml"
    path.write_text(json.dumps(policy), encoding="utf-8")
    words = (
        "check",
        str(path),
        "--change=canary",
        "--policy-ref=none",
        "--at=2026-11-01T00:00:00Z",
    )
    done = gate(*words, "--format=json", env={"PASSWORD": wrong.password or store.password})
    assert done.exit_code == 3, done.stdout + done.stderr
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]
    assert "wrong-one" not in done.stdout
    return " ".join(doubt["reason"] for doubt in slo["doubts"])


@pytest.mark.variants(21)
@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_reported_with_its_remedy(tmp_path: Path, store: Store, name: str) -> None:
    if CASES[name].password and not store.password:
        pytest.skip("Sail asks for no login")
    reason = said(tmp_path, store, CASES[name])

    is_spark = store.block["type"] == "spark"
    words = (CASES[name].on_spark if is_spark else None) or CASES[name].words
    named = [word.format(integer=store.integer, text=store.text) for word in words]
    assert [word for word in named if word not in reason] == [], reason


FORBIDDEN = {
    "a table": {"table": "unreadable.secrets"},
    "a view": {"table": "unreadable.hidden"},
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_table_or_view_that_the_user_may_not_read_is_reported(
    tmp_path: Path, postgres_server: Postgres, name: str
) -> None:
    block = {"type": "postgres", "url": postgres_server.url, "user": READER}
    store = Store(block=block, password=POSTGRES_PASSWORD, integer="integer", text="text")
    postgres_server.run(*(line.replace("wrong", "unreadable") for line in POSTGRES))
    try:
        reason = said(tmp_path, store, Wrong(block=FORBIDDEN[name], words=()))
    finally:
        postgres_server.run("DROP SCHEMA unreadable CASCADE")

    assert "the user may not read the table" in reason
    assert "grant the user SELECT" in reason
