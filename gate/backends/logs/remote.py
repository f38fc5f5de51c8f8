"""Request logs in a store of objects: listed for a window, and limited in size."""

from typing import Final

from gate.backends.logs.database import Database
from gate.backends.logs.objects import ObjectFiles
from gate.backends.logs.partitions import Matches
from gate.backends.logs.path_columns import parse_path
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.stores import bucket_url, open_store
from gate.measure.remedies import hint_for
from gate.slo.objective import Span

_SIZES: Final = ("bytes", "KB", "MB", "GB", "TB")


def find_objects(settings: LogsSettings, database: Database, window: Span | None) -> Matches:
    """Find the objects that match a path and may have rows of a window.

    After that the database can read these objects, in addition to earlier ones.

    Raises:
        MeasurementError: the store refuses, or does not answer; or the objects exceed the limit.
    """
    url = bucket_url(settings.path, settings.written or settings.path)
    pattern = parse_path(url.root, url.key)

    def find() -> Matches:
        if database.objects is None:
            store = open_store(url, database.left)
            database.objects = ObjectFiles(store, url, database.left)
        return database.objects.find(pattern, window)

    matches = database.run(find)
    _check_size(database, matches.names)
    return matches


def _check_size(database: Database, names: list[str]) -> None:
    size, most = sum(map(database.size, names)), database.max_scan
    if most is not None and size > most:
        raise unreadable(
            f"the {len(names):,} objects hold {shown_size(size)}, and a run may read"
            f" {shown_size(most)}{hint_for('large-scan')}"
        )


def how_much_read(database: Database, names: list[str]) -> str:
    """Describe how much the store has sent so far, and the total size.

    Args:
        database: the database that reads them.
        names: the names of the objects with rows of the window.
    """
    sent = 0 if database.objects is None else database.objects.received
    number = f"{len(names):,} objects" if len(names) > 1 else "1 object"
    return f"{shown_size(sent)} read of {number} of {shown_size(sum(map(database.size, names)))}"


def shown_size(size: int) -> str:
    """Return a number of bytes for people, in powers of 1000."""
    number, unit = float(size), 0
    while number >= 999.5 and unit < len(_SIZES) - 1:  # noqa: PLR2004 - shown as 1,000 otherwise
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_SIZES[unit]}"
