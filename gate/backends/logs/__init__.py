"""Request logs in files (JSON lines, CSV, Parquet), counted by DuckDB in one scan."""

from importlib.metadata import PackageNotFoundError, version

from gate.errors import UsageError
from gate.measure.counts import Backend
from gate.settings import Limits, LogsSettings

_OLDEST = 2


def open_backend(settings: LogsSettings, limits: Limits) -> Backend:
    """Open the backend. No file is looked for before `measure`.

    Raises:
        UsageError: DuckDB is not installed, or is too old to notice a file that is cut off.
    """
    _check_duckdb()
    # DuckDB takes a tenth of a second to load, so only now.
    from gate.backends.logs.backend import LogsBackend  # noqa: PLC0415

    return LogsBackend(settings, limits)


def _check_duckdb() -> None:
    try:
        installed = version("duckdb")
    except PackageNotFoundError:
        raise UsageError(
            "reading request logs needs DuckDB: pip install 'error-budget-gate[logs]'"
        ) from None
    # Up to 1.5 a gzip file that is cut off between two lines, or short of its checksum, is read as
    # if it were whole (tried with 1.1.3 and 1.4.4): errors would be missed without a word.
    if int(installed.partition(".")[0]) < _OLDEST:
        raise UsageError(
            f"DuckDB {installed} reads a gzip file that is cut off without saying so; "
            "version 2 or later is needed: pip install -U 'error-budget-gate[logs]'"
        )
