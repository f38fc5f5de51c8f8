"""Small request logs in every format, and the backend asked about them."""

import csv
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import pytest

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

AT: Final = datetime(2026, 10, 31, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
FAILED: Final = Sli(bad="status >= 500")
FORMATS: Final = ("jsonl", "csv", "parquet", "jsonl.gz", "csv.gz", "jsonl.zst", "csv.zst")

Row = Mapping[str, Any]


def before(seconds: float) -> str:
    """Return the instant so many seconds before the end of every window, as text."""
    return (AT - timedelta(seconds=seconds)).isoformat()


def text_of(rows: Sequence[Row], form: str) -> bytes:
    """Write rows as JSON lines or CSV."""
    if form.startswith("jsonl"):
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = (row.get(name) for name in names)
        writer.writerow(str(v).lower() if isinstance(v, bool) else v for v in values)
    return "".join(lines).encode()


class _Lines:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, line: str) -> None:
        self._lines.append(line)


def write(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows in the format that the file's name says."""
    form = path.name.partition(".")[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        return write_parquet(path, rows)
    text = text_of(rows, form)
    if form.endswith(".zst"):
        return _write_zstd(path, text)
    path.write_bytes(gzip.compress(text) if form.endswith(".gz") else text)
    return path


def write_parquet(path: Path, rows: Sequence[Row], types: Mapping[str, str] | None = None) -> Path:
    """Write rows to Parquet; types are those of their JSON, and ``ts`` is an instant."""
    source = path.with_name("rows-of-the-parquet-file")
    source.write_bytes(text_of(rows, "jsonl"))
    chosen = {"ts": "TIMESTAMPTZ", **(types or {})}
    casts = ", ".join(f'"{n}"::{kind} AS "{n}"' for n, kind in chosen.items() if n in rows[0])
    copy = f"SELECT * REPLACE ({casts})" if casts else "SELECT *"
    _writer().execute(
        f"COPY ({copy} FROM read_ndjson({_quoted(source)}, hive_partitioning = false)) "
        f"TO {_quoted(path)} (FORMAT parquet)"
    )
    source.unlink()
    return path


@cache
def _writer() -> duckdb.DuckDBPyConnection:
    """Return the connection that writes every file: to open one takes longer than to write."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _write_zstd(path: Path, text: bytes) -> Path:
    plain = path.with_name("text-of-the-zstd-file")
    plain.write_bytes(text)
    _writer().execute(
        f"COPY (SELECT * FROM read_csv('{plain}', header = false, delim = '\x01', quote = '', "
        f"escape = '', columns = {{'line': 'VARCHAR'}})) TO '{path}' "
        "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)"
    )
    plain.unlink()
    return path


def watch(
    monkeypatch: pytest.MonkeyPatch, look: Callable[[duckdb.DuckDBPyConnection, str], None]
) -> None:
    """Show a test every statement of connections that are opened from now on, before it runs."""

    class Watched:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self._connection = connection

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._connection.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, sql: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
            look(self._connection, sql)
            return self._connection.execute(sql, *parameters)

    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *args, **more: Watched(connect(*args, **more)))


def settings(path: Path, /, **more: Any) -> LogsSettings:
    """Return settings for a file or glob; the folder is the policy's."""
    directory, name = more.pop("directory", path.parent), more.pop("path", path.name)
    records = Records(**{"timestamp": "ts", **more})
    return LogsSettings(directory=directory, path=name, records=records)


def ask_all(
    path: Path, /, requests: Sequence[CountRequest], *, timeout: float = 60, **more: Any
) -> list[Answer]:
    """Ask everything in one run."""
    backend = open_backend(settings(path, **more), Limits(timeout=timedelta(seconds=timeout)))
    return backend.measure(requests, AT)


def request(sli: Sli = FAILED, window: timedelta = DAY, **more: Any) -> CountRequest:
    """Ask for a rolling window that ends at `AT`."""
    return CountRequest(sli=sli, span=Span(AT - window, AT), **more)


def ask(
    path: Path,
    /,
    sli: Sli = FAILED,
    window: timedelta = DAY,
    *,
    slices: Slices | None = None,
    probe: bool = False,
    **more: Any,
) -> Answer:
    """Ask about one indicator and window."""
    return ask_all(path, [request(sli, window, slices=slices, probe=probe)], **more)[0]


def counts(answer: Answer) -> tuple[int, int]:
    """Return the total and the bad events, which must have been counted."""
    assert isinstance(answer, Counts), answer
    assert answer.total.denominator == answer.bad.denominator == 1
    return answer.total.numerator, answer.bad.numerator


def spent(answer: Answer) -> Spent:
    """Return what must have been an amount."""
    assert isinstance(answer, Spent), answer
    return answer


def refused(answer: Answer, cause: Cause = Cause.INVALID) -> str:
    """Return why there is no count; there must not be one."""
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause, answer
    return answer.reason
