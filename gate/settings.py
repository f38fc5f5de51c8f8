"""What a backend is opened with: the policy's ``backend`` block, checked. Plain data.

Secrets are left out of every ``repr``.
Kept apart from the backends so that reading a policy imports none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """A server that speaks the Prometheus HTTP API."""

    kind: ClassVar = "prometheus"
    sli_kinds: ClassVar = frozenset({"ratio", "histogram", "gauge", "spent"})
    keeps_history: ClassVar = True

    url: str = field(repr=False)
    """The part before ``/api/v1``; may hold credentials, so it is shown only without them."""
    bearer: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    """Given together with ``username``; never with ``bearer``."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request (``X-Scope-OrgID``)."""
    ca: Path | None = None
    """A PEM file of the authorities to trust; None: the system's usual ones."""
    cert: Path | None = None
    """The client's certificate, PEM; with ``key``, unless one file holds both."""
    key: Path | None = None
    parallel: int = 8
    """Most requests under way at once, at least 1."""
    retries: int = 2
    """Tries after the first one, for failures that may pass; at least 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplication:
    """Of several rows about the same thing only the newest is one; the others are its past."""

    key: tuple[str, ...]
    """Columns that are alike in rows about the same thing."""
    order_by: tuple[str, ...]
    """Columns that grow from one version to the next; later ones where earlier ones are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is known of the rows of a log before a file is opened."""

    timestamp: str
    """The column that says when a request happened."""
    time_zone: tzinfo | None = None
    """Of timestamps that carry none; None: such timestamps are an error."""
    format: str | None = None
    """``jsonl``, ``csv`` or ``parquet``; None: by the files' names."""
    name: str | None = None
    """The preset file that says all this; None: the policy does."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column -> the DuckDB type to read it as, whatever its values look like."""
    optional: frozenset[str] = frozenset()
    """Those of ``columns`` that a file may lack: NULL then. All others must be in every file."""
    unnest: tuple[str, ...] = ()
    """JSON: keys of lists, each within the items of the one before; a row is an item of the last.
    All columns of such a row are in ``columns``."""
    deduplicate: Deduplication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings:
    """Request logs in files."""

    kind: ClassVar = "logs"
    sli_kinds: ClassVar = frozenset({"ratio", "threshold", "spent"})
    keeps_history: ClassVar = True

    path: str
    """A file or a glob; relative to the policy file's folder."""
    directory: Path
    """That folder."""
    records: Records


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticSettings:
    """Counts that somebody wrote down."""

    kind: ClassVar = "static"
    sli_kinds: ClassVar = frozenset({"series"})
    keeps_history: ClassVar = False

    path: Path
    """A JSON or YAML file."""


Settings = PrometheusSettings | LogsSettings | StaticSettings

SETTINGS: Mapping[str, type[Settings]] = {
    "prometheus": PrometheusSettings,
    "logs": LogsSettings,
    "static": StaticSettings,
}
"""By the name that a policy gives as ``backend.type``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The run's own bounds on a backend's work."""

    timeout: timedelta
    """For everything that the backend does in this run."""
