"""Requests in a table of a ClickHouse server, counted by the server in one scan, over HTTP."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.clickhouse.settings import BLOCK, ClickHouseSettings, files, secrets
from gate.backends.sql.settings import TABLE_FIELDS, mistake_in_sql
from gate.errors import UsageError
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine
    from gate.measure.diagnosis import Doctor


def _engine(settings: ClickHouseSettings, limits: Limits) -> "Engine":
    # Imports requests, which takes longer than all the rest of the gate.
    from gate.backends.clickhouse.engine import ClickHouseEngine  # noqa: PLC0415

    return ClickHouseEngine(settings, limits)


def _open(settings: ClickHouseSettings, limits: Limits) -> Backend:
    """Open the backend. Nothing is sent before it measures.

    Raises:
        UsageError: sqlglot is not installed.
    """
    _check_sqlglot()
    from gate.backends.sql.backend import SqlBackend  # noqa: PLC0415 - a policy is read without it

    return SqlBackend(lambda: _engine(settings, limits), settings.table, limits)


def _open_doctor(settings: ClickHouseSettings, limits: Limits) -> "Doctor":
    """As `_open`."""
    _check_sqlglot()
    from gate.backends.sql.doctor import SqlDoctor  # noqa: PLC0415 - as above

    return SqlDoctor(lambda: _engine(settings, limits), settings.table, limits)


def _check_sqlglot() -> None:
    if find_spec("sqlglot") is None:
        raise UsageError(
            "checking the conditions of ClickHouse needs sqlglot; where gate is installed: "
            "pip install 'sqlglot[c]>=30'"
        )


_URL: Final = """\
backend:
  type: clickhouse
  url: "$${CLICKHOUSE_URL}"    # the HTTP interface: http://clickhouse:8123, or https and 8443
  user: gate                  # with SELECT on the table, and readonly=2 in its profile
  password: "$${CLICKHOUSE_PASSWORD}"
"""
_STARTER: Final = Starter(
    block=f"""\
{_URL}\
  table: logs.requests        # a table or view; an older version of a row is never counted
  timestamp: timestamp        # the column that says when

""",
    block_for_preset=f"{_URL}  records: $preset\n\n",
    slos="""\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: status >= 500      # in ClickHouse's own SQL
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: latency_ms
      threshold: 2000
""",
    advice="set CLICKHOUSE_URL and CLICKHOUSE_PASSWORD, and table and columns if yours differ",
)
REGISTRATION: Final = Registration(
    settings=ClickHouseSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=files,
    public=frozenset(
        {"user", "database", "retries", "tls.ca", "tls.cert", "tls.key", *TABLE_FIELDS}
    ),
    starter=_STARTER,
    indicators=frozenset({"ratio", "threshold", "spent"}),
    keeps_history=True,
    promql=False,
    reads_rows=True,
    mistake_in=mistake_in_sql("clickhouse"),
    max_age=lambda _: None,
)
