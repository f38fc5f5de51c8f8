"""Engines on the real server, as tests open them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from gate.backends.postgres.engine import PostgresEngine
from gate.backends.postgres.session import PostgresSession
from tests.servers.postgres import PASSWORD, Postgres

SHOWN = "postgresql://db.example/app"


@contextmanager
def engine_of(
    url: str,
    timestamp: str = "ts",
    timeout: float = 20,
    keywords: Mapping[str, str] | None = None,
) -> Iterator[PostgresEngine]:
    """Open an engine while the block lasts; nothing is connected yet."""
    engine = PostgresEngine(
        PostgresSession(
            url,
            {"application_name": "gate", "client_encoding": "UTF8", **(keywords or {})},
            shown=SHOWN,
            secrets=[PASSWORD],
            timeout=timedelta(seconds=timeout),
        ),
        timestamp,
    )
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def reading(
    server: Postgres, timestamp: str = "ts", timeout: float = 20
) -> Iterator[PostgresEngine]:
    """Open an engine as the user who may only read."""
    with engine_of(server.reader_url, timestamp, timeout) as engine:
        yield engine
