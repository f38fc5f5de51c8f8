"""The registration of an SQL engine: the parts that all engines share."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from gate.backends import Registration, Settings, Starter
from gate.backends.sql.settings import TableSettings, mistake_in_sql
from gate.errors import UsageError
from gate.measure import Backend, Limits
from gate.parsing.objects import Object

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine
    from gate.measure.diagnosis import Doctor


class SqlSettings(Settings, Protocol):
    """The settings of an SQL engine."""

    @property
    def table(self) -> TableSettings:
        """The rows to count."""
        ...


S = TypeVar("S", bound=SqlSettings)
SQLGLOT: Final = {"sqlglot": "sqlglot[c]>=30"}
"""The parser of the policy's expressions: its module, and its package for pip."""
_SLOS: Final = """\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: status >= 500      # in {title}'s own SQL
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: latency_ms
      threshold: 2000
"""


def sql_starter(
    title: str, *, server: str, table: str, table_of_preset: str = "", advice: str
) -> Starter:
    """Return the starter policy of ``gate init`` for an SQL engine.

    Args:
        title: the engine's name, as its vendor writes it.
        server: the first lines of the block: the type, and the address of the server.
        table: the lines that define the rows to count, if no preset describes them.
        table_of_preset: the lines that presets leave to the policy; empty: there are none.
        advice: as in `Starter`.
    """
    return Starter(
        block=f"{server}{table}\n",
        block_for_preset=f"{server}{table_of_preset}  records: $preset\n\n",
        slos=_SLOS.format(title=title),
        advice=advice,
    )


def sql_registration(
    settings: type[S],
    *,
    block: Object[S],
    engine: Callable[[S, Limits], "Engine"],
    packages: Mapping[str, str],
    secrets: Callable[[S], tuple[str, ...]],
    files: Callable[[S], tuple[str, ...]],
    public: frozenset[str],
    starter: Starter,
) -> Registration[S]:
    """Return the registration of an SQL engine.

    Args:
        settings: the class of its settings, which has the name of the dialect.
        block: as in `Registration`.
        engine: connects to the server; called for each measurement, never earlier.
        packages: the pip package of each needed module that may be missing, by the module's name.
        secrets: as in `Registration`.
        files: as in `Registration`.
        public: as in `Registration`.
        starter: as in `Registration`.
    """

    def open_backend(own: S, limits: Limits) -> Backend:
        _check_installed(settings.kind, packages)
        from gate.backends.sql.backend import SqlBackend  # noqa: PLC0415 - a policy is read without it

        return SqlBackend(lambda: engine(own, limits), own.table, limits)

    def open_doctor(own: S, limits: Limits) -> "Doctor":
        _check_installed(settings.kind, packages)
        from gate.backends.sql.doctor import SqlDoctor  # noqa: PLC0415 - as above

        return SqlDoctor(lambda: engine(own, limits), own.table, limits)

    return Registration(
        settings=settings,
        block=block,
        open=open_backend,
        open_doctor=open_doctor,
        secrets=secrets,
        files=files,
        public=public,
        starter=starter,
        indicators=frozenset({"ratio", "threshold", "spent"}),
        keeps_history=True,
        promql=False,
        reads_rows=True,
        mistake_in=mistake_in_sql(settings.kind),
        max_age=lambda _: None,
    )


def _check_installed(kind: str, packages: Mapping[str, str]) -> None:
    """Raise an error if a package of the backend is not installed."""
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        names = " ".join(f"'{package}'" for package in missing)
        raise UsageError(
            f"the backend {kind} needs packages that are not installed; where gate is installed:"
            f" pip install {names}"
        )
