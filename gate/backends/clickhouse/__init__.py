"""Requests in a table of a ClickHouse server, counted by the server in one scan, over HTTP."""

from typing import TYPE_CHECKING, Final

from gate.backends.clickhouse.settings import BLOCK, ClickHouseSettings, files, secrets
from gate.backends.sql.registering import SQLGLOT, sql_registration, sql_starter
from gate.backends.sql.settings import TABLE_FIELDS
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine


def _engine(settings: ClickHouseSettings, limits: Limits) -> "Engine":
    # It imports requests, which takes longer than the rest of the gate.
    from gate.backends.clickhouse.engine import ClickHouseEngine  # noqa: PLC0415

    return ClickHouseEngine(settings, limits)


REGISTRATION: Final = sql_registration(
    ClickHouseSettings,
    block=BLOCK,
    engine=_engine,
    packages=SQLGLOT,
    secrets=secrets,
    files=files,
    public=frozenset(
        {"user", "database", "retries", "tls.ca", "tls.cert", "tls.key", *TABLE_FIELDS}
    ),
    starter=sql_starter(
        "ClickHouse",
        server="""\
backend:
  type: clickhouse
  url: "$${CLICKHOUSE_URL}"    # the HTTP interface: http://clickhouse:8123, or https and 8443
  user: gate                  # with SELECT on the table, and readonly=2 in its profile
  password: "$${CLICKHOUSE_PASSWORD}"
""",
        table="""\
  table: logs.requests        # a table or view; an older version of a row is never counted
  timestamp: timestamp        # the column of the time
""",
        advice="set CLICKHOUSE_URL and CLICKHOUSE_PASSWORD, and table and columns if yours differ",
    ),
)
