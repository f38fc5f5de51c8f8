"""The backends: one folder each, and one line in `BACKENDS`.

The package of a backend has its `REGISTRATION`. It is imported only when a policy, or a command,
names the backend, and it imports the modules that count only when the backend is opened.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from gate.dataclass import dataclass
from gate.measure import Backend, Limits
from gate.parsing.objects import Field, Object, TaggedUnion
from gate.parsing.values import TEXT
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:  # every measuring command imports this module
    from gate.measure.diagnosis import Doctor

BACKENDS: Final[Mapping[str, str]] = {
    "prometheus": "gate.backends.prometheus",
    "logs": "gate.backends.logs",
    "clickhouse": "gate.backends.clickhouse",
    "postgres": "gate.backends.postgres",
    "spark": "gate.backends.spark",
    "datadog": "gate.backends.datadog",
    "google-slo": "gate.backends.google_slo",
    "aws-slo": "gate.backends.aws_slo",
    "cloudwatch": "gate.backends.cloudwatch",
    "elastic": "gate.backends.elastic",
    "evaluations": "gate.backends.evaluations",
    "static": "gate.backends.static",
}
"""The package of each backend by the name that a policy gives as ``backend.type``."""
SEVERAL: Final = "several"
"""The kind of the settings of several backends; a policy cannot use it as a type."""


class Settings(Protocol):
    """The settings with which a backend is opened: the policy's ``backend`` block, checked.

    They are plain data. No ``repr`` shows secrets.
    """

    kind: ClassVar[str]
    """The backend's name in `BACKENDS`; or `SEVERAL`."""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """The texts that ``gate init`` writes for a backend.

    The texts are `string.Template`: write $$ for a dollar sign.
    """

    block: str
    """The ``backend`` block, with a blank line after it."""
    block_for_preset: str = ""
    """The block if a preset, whose name is ``$preset``, describes the rows; needed by backends that
    read rows."""
    slos: str
    """The ``slos`` block if no preset is named."""
    advice: str
    """The next step for the user, in the imperative."""
    burn_rates: bool = True
    """Whether the backend can count the windows of burn rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Generic[S]):
    """The functions that a backend, or several, have for its settings."""

    settings: type[S]
    open: Callable[[S, Limits], Backend]
    """Opens the backend, without network or data; raises UsageError if a package is missing."""
    open_doctor: Callable[[S, Limits], "Doctor"]
    """Opens the doctor in the same way."""
    secrets: Callable[[S], tuple[str, ...]]
    """Returns every text that must be masked wherever it appears, none of them empty. Never raises.
    A secret that is sent in another form (base64) is included in both forms."""
    files: Callable[[S], tuple[str, ...]]
    """Returns every local file that the backend reads, also while the policy is read: paths or
    globs, from the working folder. Never raises. A change that contains such a file must not be
    judged by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Opening[S]):
    """All facts that the rest of the gate knows about one backend."""

    block: Object[S]
    """The keys of the policy's ``backend`` block, without ``type``."""
    public: frozenset[str]
    """Keys of the block (``auth.username``) whose values are not secret. The value that another key
    takes from a variable is in ``secrets``."""
    starter: Starter
    indicators: frozenset[str]
    """The kinds of indicator that it counts, with the names of
    `gate.config.sli_schema.sli_kind`."""
    keeps_history: bool
    """Whether the opened backend is a `HistoryBackend`."""
    promql: bool
    """Whether its indicators are PromQL: labels restrict their selectors, a ratio needs ``total``,
    and SLO files of other tools can be read and written."""
    reads_rows: bool
    """Whether it reads rows, which are described by the policy's block or a preset's
    ``records``."""

    mistake_in: Callable[[Sli, Slices | None], str | None]
    """Returns the mistake in an indicator that shows without data; None: no mistake. It sends
    nothing and reads no file. The slices are those of the SLO, if it has any."""
    max_age: Callable[[Mapping[str, str]], timedelta | None]
    """Returns the maximum age of the newest sample if neither the policy nor the SLO sets it, from
    the words of the block, which may have mistakes; None: the default of most backends."""

    @property
    def kind(self) -> str:
        """Return the backend's name in `BACKENDS`."""
        return self.settings.kind


def registration(kind: str) -> Registration[Any]:
    """Import the package of a backend and return its registration.

    Raises:
        KeyError: `BACKENDS` has no backend of this name.
    """
    registered: Registration[Any] = import_module(BACKENDS[kind]).REGISTRATION
    return registered


def _opening(settings: Settings) -> Opening[Any]:
    """Import the package of the settings, and return its functions."""
    if settings.kind != SEVERAL:
        return registration(settings.kind)
    several: Opening[Any] = import_module("gate.backends.several").REGISTRATION
    return several


class _BackendBlocks(Mapping[str, Object[Settings]]):
    """The ``backend`` block of every backend; looking one up imports that backend's package."""

    def __getitem__(self, kind: str) -> Object[Settings]:
        """Return the keys of the backend, and ``type``."""
        block: Object[Settings] = registration(kind).block
        return replace(block, fields={"type": _TYPE, **block.fields})

    def __iter__(self) -> Iterator[str]:
        """Return the names of the backends, without importing any."""
        return iter(BACKENDS)

    def __len__(self) -> int:
        """Return the number of backends."""
        return len(BACKENDS)


_TYPE: Final = Field(schema=TEXT, doc="Name of the backend.", required=True)
BACKEND: Final = TaggedUnion("type", _BackendBlocks())
"""The ``backend`` block of a policy file."""


def open_backend(settings: Settings, limits: Limits) -> Backend:
    """Import and open the backend of these settings.

    Opening does not use the network or read the data: such failures are answers.

    Raises:
        UsageError: a package that the backend needs is not installed.
    """
    return _opening(settings).open(settings, limits)


def open_doctor(settings: Settings, limits: Limits) -> "Doctor":
    """Import and open the doctor of the backend of these settings.

    Raises:
        UsageError: a package that the backend needs is not installed.
    """
    return _opening(settings).open_doctor(settings, limits)


def backends_in(settings: Settings) -> Mapping[str, Settings]:
    """Return the settings of each backend by its name; a single one has the empty name."""
    several: Mapping[str, Settings] | None = getattr(settings, "backends", None)
    return {"": settings} if several is None else several


OF_PLATFORMS: Final = frozenset({"platform"})
"""The kinds of indicator that an SLO platform counts."""


def described(settings: Settings) -> str:
    """Return the name of these settings' backend in a sentence: ``the backend logs``."""
    names = [f"{name} ({own.kind})" for name, own in backends_in(settings).items() if name]
    return (
        f"each of the backends {' and '.join(names)}" if names else f"the backend {settings.kind}"
    )


def keeps_history(settings: Settings) -> bool:
    """Return whether any backend of these settings can answer questions about the past."""
    kinds = {own.kind for own in backends_in(settings).values()} & BACKENDS.keys()
    return any(registration(kind).keeps_history for kind in kinds)


def without_history(kinds: Iterable[str], otherwise: str) -> str:
    """Say that none of these types of backend can answer questions about the past.

    Args:
        kinds: their names; unknown names are left out.
        otherwise: the message if one of them is not an SLO platform, or has a history but lacks
            something else.
    """
    types = [registration(kind) for kind in set(kinds) & BACKENDS.keys()]
    if types and all(t.indicators == OF_PLATFORMS and not t.keeps_history for t in types):
        return "this platform keeps no history that can be read"
    return otherwise


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every text of these settings that must be masked wherever it appears."""
    return _opening(settings).secrets(settings)


def files_of(settings: Settings) -> tuple[str, ...]:
    """Return every local file, or glob, that these settings make a backend read."""
    return _opening(settings).files(settings)
