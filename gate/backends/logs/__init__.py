"""Request logs in files (JSON lines, CSV, Parquet), counted by DuckDB in one scan."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.logs.settings import BLOCK, LogsSettings
from gate.errors import UsageError
from gate.measure import Backend, Limits
from gate.parsing.files import literal
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor

_OLDEST: Final = 2


def _open(settings: LogsSettings, limits: Limits) -> Backend:
    """Open the backend. It searches for files only when it measures.

    Raises:
        UsageError: DuckDB or the client of a store is not installed, or DuckDB is too old to detect
            truncated files.
    """
    _check_packages(settings)
    # DuckDB takes a tenth of a second to load, so it is imported here.
    from gate.backends.logs.backend import LogsBackend  # noqa: PLC0415

    return LogsBackend(settings, limits)


def _open_doctor(settings: LogsSettings, limits: Limits) -> "Doctor":
    """Open the doctor in the same way as `_open`."""
    _check_packages(settings)
    from gate.backends.logs.doctor import LogsDoctor  # noqa: PLC0415

    return LogsDoctor(settings, limits)


def _check_packages(settings: LogsSettings) -> None:
    _check_duckdb()
    if "://" in settings.path:
        from gate.backends.logs.stores import missing_extra  # noqa: PLC0415 - for stores only

        if (extra := missing_extra(settings.path)) is not None:
            raise UsageError(
                f"reading {extra}:// needs more packages; where gate is installed: "
                f"pip install 'error-budget-gate[{extra}]'"
            )


def _check_duckdb() -> None:
    try:
        installed = version("duckdb")
    except PackageNotFoundError:
        raise UsageError(
            "reading request logs needs DuckDB; where gate is installed: "
            f"pip install 'duckdb>={_OLDEST}'"
        ) from None
    # Up to 1.5, a gzip file that ends between two lines, or without its checksum, is read as if it
    # were complete (tried with 1.1.3 and 1.4.4): errors would be missed silently.
    if int(installed.partition(".")[0]) < _OLDEST:
        raise UsageError(
            f"DuckDB {installed} reads a gzip file that is cut off without saying so; "
            f"version {_OLDEST} or later is needed: pip install 'duckdb>={_OLDEST}'"
        )


def _mistake_in(sli: Sli, _slices: Slices | None) -> str | None:
    """Return the condition that is the same for every row; empty if DuckDB is not installed."""
    try:
        _check_duckdb()
        from gate.backends.logs.prepare import constant_condition  # noqa: PLC0415 - as above
    except (UsageError, ImportError):
        return None  # opening the logs reports it

    return constant_condition(sli)


def _files(settings: LogsSettings) -> tuple[str, ...]:
    if "://" in settings.path:  # a change contains no objects of a store
        return ()
    # A partition's time, {%Y/%m/%d}, as a pattern.
    path = re.sub(r"\{[^{}]*%[^{}]*\}", lambda m: re.sub("%.", "*", m[0][1:-1]), settings.path)
    return (str(Path(literal(str(settings.directory))) / path),)


_PATH: Final = """\
backend:
  type: logs
  path: logs/*.jsonl          # from this file's folder; also .csv, .parquet, .gz
"""
_STARTER: Final = Starter(
    block=f"""\
{_PATH}\
  timestamp: ts               # the column of the time
  # time_zone: Europe/Berlin  # of timestamps that carry none

""",
    block_for_preset=f"{_PATH}  records: $preset\n\n",
    slos="""\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: status >= 500
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: latency_ms
      threshold: 2000
""",
    advice="set the path and the columns",
)
REGISTRATION: Final = Registration(
    settings=LogsSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=lambda _: (),  # files need no login
    files=_files,
    public=frozenset(BLOCK.fields),
    starter=_STARTER,
    indicators=frozenset({"ratio", "threshold", "spent"}),
    keeps_history=True,
    promql=False,
    reads_rows=True,
    mistake_in=_mistake_in,
    max_age=lambda _: None,
)
