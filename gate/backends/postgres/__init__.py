"""Requests in a table of a PostgreSQL server, counted by the server in one scan."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.postgres.settings import BLOCK, PostgresSettings, files, keywords, secrets
from gate.backends.sql.settings import mistake_in_sql
from gate.errors import UsageError
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine
    from gate.measure.diagnosis import Doctor

_NEEDED: Final = {"psycopg2": "psycopg2-binary>=2.9.9", "sqlglot": "sqlglot[c]>=30"}


def _engine(settings: PostgresSettings, limits: Limits) -> "Engine":
    from gate.backends.postgres.engine import PostgresEngine  # noqa: PLC0415 - imports psycopg2
    from gate.backends.postgres.session import PostgresSession  # noqa: PLC0415

    session = PostgresSession(
        settings.url,
        keywords(settings),
        shown=settings.shown,
        secrets=secrets(settings),
        timeout=limits.timeout,
    )
    return PostgresEngine(session, settings.table.timestamp)


def _open(settings: PostgresSettings, limits: Limits) -> Backend:
    """Open the backend; nothing is connected before it measures.

    Raises:
        UsageError: a package is not installed.
    """
    _check_packages()
    from gate.backends.sql.backend import SqlBackend  # noqa: PLC0415 - a policy is read without it

    return SqlBackend(lambda: _engine(settings, limits), settings.table, limits)


def _open_doctor(settings: PostgresSettings, limits: Limits) -> "Doctor":
    """As `_open`."""
    _check_packages()
    from gate.backends.sql.doctor import SqlDoctor  # noqa: PLC0415 - as above

    return SqlDoctor(lambda: _engine(settings, limits), settings.table, limits)


def _check_packages() -> None:
    missing = [package for name, package in _NEEDED.items() if find_spec(name) is None]
    if missing:
        packages = " ".join(f"'{package}'" for package in missing)
        raise UsageError(
            f"PostgreSQL needs other packages; where gate is installed: pip install {packages}"
        )


_URL: Final = """\
backend:
  type: postgres
  url: "$${DATABASE_URL}"      # postgresql://user:password@host:5432/database
"""
_STARTER: Final = Starter(
    block=f"""\
{_URL}\
  table: requests             # with its schema, if it is in another than public
  timestamp: created_at       # the column that says when
  # time_zone: Europe/Berlin  # of a timestamp without time zone

""",
    block_for_preset=f"{_URL}  records: $preset\n\n",
    slos="""\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: status >= 500      # in PostgreSQL's own SQL
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: latency_ms
      threshold: 2000
""",
    advice="set DATABASE_URL, to a user who may only read, and table and columns if yours differ",
)
REGISTRATION: Final = Registration(
    settings=PostgresSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=files,
    public=frozenset(BLOCK.fields) - {"url", "password"},
    starter=_STARTER,
    indicators=frozenset({"ratio", "threshold", "spent"}),
    keeps_history=True,
    promql=False,
    reads_rows=True,
    mistake_in=mistake_in_sql("postgres"),
    max_age=lambda _: None,
)
