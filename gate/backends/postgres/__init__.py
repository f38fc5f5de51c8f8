"""Requests in a table of a PostgreSQL server, counted by the server in one scan."""

from typing import TYPE_CHECKING, Final

from gate.backends.postgres.settings import BLOCK, PostgresSettings, files, keywords, secrets
from gate.backends.sql.registering import SQLGLOT, sql_registration, sql_starter
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine


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


REGISTRATION: Final = sql_registration(
    PostgresSettings,
    block=BLOCK,
    engine=_engine,
    packages={"psycopg2": "psycopg2-binary>=2.9.9", **SQLGLOT},
    secrets=secrets,
    files=files,
    public=frozenset(BLOCK.fields) - {"url", "password"},
    starter=sql_starter(
        "PostgreSQL",
        server="""\
backend:
  type: postgres
  url: "$${DATABASE_URL}"      # postgresql://user:password@host:5432/database
""",
        table="""\
  table: requests             # with its schema, if it is in another than public
  timestamp: created_at       # the column of the time
  # time_zone: Europe/Berlin  # of a timestamp without time zone
""",
        advice="set DATABASE_URL, to a user who may only read, and table and columns if yours"
        " differ",
    ),
)
