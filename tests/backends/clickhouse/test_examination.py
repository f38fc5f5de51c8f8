"""The findings of gate doctor about a ClickHouse server, a table and a user's rights."""

import json
from http.server import BaseHTTPRequestHandler

import pytest

from gate.measure.diagnosis import Check, CheckResult, Level
from tests.backends.clickhouse.test_client import asking
from tests.backends.loopback import send
from tests.servers.clickhouse import ClickHouse
from tests.servers.clickhouse_fake import FakeServer, about_itself, answer, exception


def examined(server: ClickHouse, user: str, table: str = "requests") -> dict[Check, CheckResult]:
    """Return the worst result of each check."""
    results = server.engine(user).examine(table)
    levels = list(Level)
    worst = sorted(results, key=lambda result: levels.index(result.level))
    return {result.check: result for result in worst}


def granted(*grants: str, readonly: str = "0", engine: str = "MergeTree") -> list[CheckResult]:
    """Return what is said of a user who has these grants."""

    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        rows = [[grant] for grant in grants] if statement == "SHOW GRANTS" else [[engine]]
        send(handler, answer([] if "row_policies" in statement else rows, ("String",)))

    with asking(FakeServer(respond, about_itself(readonly=readonly))) as fake:
        return list(fake.examine("logs.requests"))


def rights(*grants: str, readonly: str = "0") -> CheckResult:
    results = granted(*grants, readonly=readonly)
    return next(result for result in results if result.check is Check.RIGHTS)


def test_user_who_may_only_read_is_well(clickhouse_server: ClickHouse) -> None:
    results = examined(clickhouse_server, "gate")

    assert results[Check.VERSION].message.startswith("ClickHouse 26.")
    assert results[Check.CLOCK].level is Level.OK
    assert results[Check.TABLE].message == "requests (engine MergeTree) has each row once"


def test_user_who_may_write_is_doubted(clickhouse_server: ClickHouse) -> None:
    result = examined(clickhouse_server, "default")[Check.RIGHTS]

    assert result.level is Level.DOUBT
    assert "ALTER on *.*" in result.message
    assert "DROP on *.*" in result.message or "more" in result.message
    assert result.remedy == (
        "use a user who has only SELECT on requests, with readonly=2 in its profile"
    )


def test_user_for_whom_no_limit_can_be_set_is_doubted(clickhouse_server: ClickHouse) -> None:
    results = clickhouse_server.engine("locked").examine("requests")

    (result,) = [result for result in results if "readonly=1 lets" in result.message]
    assert result.level is Level.DOUBT
    assert result.remedy.startswith("set readonly=2")


@pytest.mark.parametrize(
    ("table", "level", "words"),
    [
        ("versions", Level.OK, "read with FINAL"),
        ("versions_view", Level.OK, "the tables behind versions_view (engine View) are read with"),
        ("sums", Level.DOUBT, "one row may represent many requests"),
        ("nope", Level.OK, "the tables behind nope are read with"),
    ],
)
def test_engine_of_the_table_is_reported(
    clickhouse_server: ClickHouse, table: str, level: Level, words: str
) -> None:
    result = examined(clickhouse_server, "gate", table)[Check.TABLE]

    assert result.level is level
    assert words in result.message


def test_buffer_is_doubted() -> None:
    results = granted("GRANT SELECT ON logs.requests TO gate", engine="Buffer")

    (result,) = [result for result in results if result.check is Check.TABLE]
    assert result.level is Level.DOUBT
    assert result.remedy == "count the table behind it"


@pytest.mark.parametrize(
    ("grants", "readonly", "words"),
    [
        (["GRANT SELECT ON logs.requests TO gate"], "0", ""),
        (["GRANT SELECT(ts, status) ON logs.requests TO gate"], "2", ""),
        (["GRANT SHOW TABLES, SELECT ON logs.* TO gate"], "0", ""),
        (["GRANT SELECT, INSERT ON logs.requests TO gate"], "2", ""),
        (["GRANT SELECT, INSERT(a, b) ON logs.requests TO gate"], "0", "INSERT on logs.requests"),
        (["GRANT SELECT ON *.* TO gate"], "2", "SELECT on all databases"),
        (["GRANT analyst, admin TO gate"], "0", "all that the role analyst, admin may"),
        (["something else"], "0", ""),
        (
            ["GRANT A, B, C, D, E, F, G, H, I, J ON *.* TO gate"],
            "0",
            "G on *.*, H on *.* and 2 more",
        ),
    ],
)
def test_rights_that_counting_does_not_need_are_named(
    grants: list[str], readonly: str, words: str
) -> None:
    result = rights(*grants, readonly=readonly)

    assert result.level is (Level.DOUBT if words else Level.OK)
    assert words in result.message


def test_rights_that_cannot_be_listed_are_doubted() -> None:
    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        if statement == "SHOW GRANTS":
            exception(497, "gate: Not enough privileges. (ACCESS_DENIED)")(handler, statement)
        else:
            send(handler, answer([["MergeTree"]], ("String",)))

    with asking(FakeServer(respond)) as engine:
        (result,) = [found for found in engine.examine("requests") if found.check is Check.RIGHTS]

    assert result.level is Level.DOUBT
    assert "the rights cannot be listed" in result.message


@pytest.mark.parametrize(
    ("listed", "plan", "words"),
    [
        (["only_mine"], None, "only_mine"),
        ([], None, ""),
        (None, "  Filter (Row-level security filter)", "Row-level security filter"),
        (None, "  Row level filter column: equals(a, 1)", "Row level filter column"),
        (None, "  Filter (WHERE)", ""),
        (None, None, ""),
    ],
)
def test_row_policy_is_doubted_and_no_policy_is_not(
    listed: list[str] | None, plan: str | None, words: str
) -> None:
    denied = exception(497, "gate: Not enough privileges. (ACCESS_DENIED)")

    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        rows: list[str] | None = ["GRANT SELECT ON logs.requests TO gate"]
        if "row_policies" in statement:
            rows = listed
        elif statement.startswith("EXPLAIN"):
            rows = None if plan is None else [plan]
        if rows is None:
            denied(handler, statement)
        else:
            send(handler, answer([[row] for row in rows], ("String",)))

    with asking(FakeServer(respond)) as engine:
        results = [result for result in engine.examine("requests") if result.check is Check.TABLE]

    doubts = [result.message for result in results if result.level is Level.DOUBT]
    assert len(doubts) == bool(words)
    assert not words or words in doubts[0]


@pytest.mark.parametrize(
    ("microseconds", "words"), [(3_600_500_000, "1h ahead of"), (-7_200_500_000, "2h behind")]
)
def test_clock_that_is_wrong_is_doubted(microseconds: int, words: str) -> None:
    itself = json.loads(about_itself())
    itself["data"][0][2] = str(int(itself["data"][0][2]) + microseconds)
    respond = answer([["MergeTree"]], ("String",))
    fake = FakeServer(lambda handler, _: send(handler, respond), json.dumps(itself).encode())

    with asking(fake) as engine:
        result = engine.examine("requests")[1]

    assert result.level is Level.DOUBT
    assert f"the server's clock is {words} this machine's" in result.message
