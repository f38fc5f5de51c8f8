"""The protocol and the traps of real ClickHouse servers, two of them as a cluster.

They are Debian's 18.16, too old for the gate, which says so. What their answers look like is the
same in every version, and it is read by the same client as everywhere.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from gate.backends.clickhouse.client import ClickHouseClient
from gate.backends.clickhouse.engine import ClickHouseEngine
from gate.backends.clickhouse.refusals import ClickHouseFailure
from gate.backends.clickhouse.replies import ClickHouseReply
from gate.backends.clickhouse.server_settings import NEEDED
from gate.backends.clickhouse.settings import ClickHouseSettings
from gate.measure import Cause, Limits, MeasurementError
from tests.servers.clickhouse import REQUESTS
from tests.servers.clickhouse_cluster import (
    FIRST_ROWS,
    PASSWORD,
    SECOND_ROWS,
    Cluster,
    ask,
    cluster,
)

pytestmark = [pytest.mark.slow, pytest.mark.real]

BOTH = "SELECT count(), sum(status >= 500) FROM d"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def settings(servers: Cluster, user: str = "skipping", **more: Any) -> ClickHouseSettings:
    password = PASSWORD if user == "skipping" else None
    values = {"url": servers.url, "user": user, "password": password, "table": REQUESTS, **more}
    return ClickHouseSettings(**values)


def query(
    servers: Cluster, statement: str, user: str = "skipping", *, seconds: float = 20, **more: Any
) -> ClickHouseReply | ClickHouseFailure:
    """Ask with the settings of the gate that this version has, unless the user may set none."""
    known = ask(servers.url, "SELECT name FROM system.settings").text.split()
    parameters = {name: NEEDED[name] for name in NEEDED if name in known}
    assert {"read_overflow_mode", "skip_unavailable_shards"} <= parameters.keys()
    sent = {} if user == "locked" else parameters
    with closing(ClickHouseClient(settings(servers, user, **more))) as client:
        return client.query(statement, sent, until=time.monotonic() + seconds)


def failure(outcome: ClickHouseReply | ClickHouseFailure) -> ClickHouseFailure:
    assert isinstance(outcome, ClickHouseFailure)
    return outcome


def test_version_that_is_too_old_is_reported(servers: Cluster) -> None:
    engine = ClickHouseEngine(settings(servers), Limits(timeout=timedelta(seconds=20)))

    words = r"ClickHouse 18\.16\.1 is too old"
    with closing(engine), pytest.raises(MeasurementError, match=words) as caught:
        engine.rows(BOTH)

    assert caught.value.reason.endswith("upgrade ClickHouse to 23.8 or later")


def test_rows_of_both_shards_are_counted(servers: Cluster) -> None:
    reply = query(servers, BOTH)

    assert isinstance(reply, ClickHouseReply)
    assert reply.rows == [(FIRST_ROWS + SECOND_ROWS, SECOND_ROWS)]
    assert reply.read is not None
    assert reply.read >= 2 * (FIRST_ROWS + SECOND_ROWS)


def test_user_who_may_set_nothing_is_read_back(servers: Cluster) -> None:
    assert isinstance(query(servers, BOTH, "locked"), ClickHouseReply)
    with closing(ClickHouseClient(settings(servers, "locked"))) as client:
        refused = failure(client.query(BOTH, {"join_use_nulls": "1"}, until=time.monotonic() + 20))

    assert refused.code == 164
    assert "set readonly=2" in refused.reason


def test_exception_in_mid_answer_is_not_an_answer(servers: Cluster) -> None:
    failing = "SELECT throwIf(number = 1900000) FROM numbers(2000000)"
    believed = ask(servers.url, failing, default_format="JSONCompact", max_block_size="1000")
    assert believed.status_code == 200

    refused = failure(query(servers, failing))

    assert (refused.code, refused.status) == (395, 500)


def test_wrong_password_is_reported(servers: Cluster) -> None:
    refused = failure(query(servers, "SELECT 1", password="wrong-password"))

    assert refused.code == 193
    assert "check backend.user and backend.password" in refused.reason
    assert "wrong-password" not in refused.reason


def test_unknown_table_and_column_are_reported(servers: Cluster) -> None:
    assert failure(query(servers, "SELECT count() FROM nope")).code == 60
    column = failure(query(servers, "SELECT nope FROM r"))
    assert (column.code, column.cause) == (47, Cause.INVALID)


def test_port_of_the_own_programs_is_reported(servers: Cluster) -> None:
    url = f"http://127.0.0.1:{servers.native}"

    refused = failure(query(servers, "SELECT 1", url=url))

    assert "this is the port for ClickHouse's own programs" in refused.reason
    assert "port 8123" in refused.reason


def test_statement_that_takes_too_long_is_stopped_there(servers: Cluster) -> None:
    slow = "SELECT count() FROM numbers(100000000000) WHERE cityHash64(number) = 1"

    refused = failure(query(servers, slow, seconds=1))

    assert refused.timed_out
    deadline = time.monotonic() + 10
    listed = "SELECT count() FROM system.processes WHERE query LIKE '%cityHash64%'"
    while ask(servers.url, listed).text != "1\n" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ask(servers.url, listed).text == "1\n"  # itself


def test_dead_shard_is_not_an_answer(servers: Cluster) -> None:
    servers.second.close()
    believed = ask(servers.url, "SELECT count() FROM d", "skipping")
    assert (believed.status_code, believed.text) == (200, f"{FIRST_ROWS}\n")

    refused = failure(query(servers, BOTH, retries=0))

    assert refused.code in {279, 369}
    assert refused.cause is Cause.PARTIAL
    assert "see in system.clusters" in refused.reason
