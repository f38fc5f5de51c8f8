"""The objects of a bucket that match a path: only folders of the requested time are listed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import obstore

from gate.backends.logs.partitions import PathPattern
from gate.backends.logs.store_errors import refused
from gate.backends.logs.stores import BucketUrl
from gate.dataclass import dataclass
from gate.slo.objective import Span

_AT_ONCE: Final = 16
"""The maximum number of concurrent requests; a store answers each after about 30 ms."""
_STAGING: Final = ("_temporary", "_delta_log", "_spark_metadata")
"""Folders of Spark with temporary data or metadata."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a listing."""

    key: str
    size: int
    """The size in bytes."""
    tag: str | None
    """The ETag, which changes with the object; None: unknown."""
    modified: datetime


class Listing:
    """Lists the objects of a bucket that match a path and may have rows of a window.

    Only folders of the window are listed, as far as the path shows their time.
    """

    def __init__(self, store: Any, url: BucketUrl, pattern: PathPattern, window: Span | None):
        """Take obstore's store, its address, the pattern, and the window; None: any time."""
        self._store, self._url, self._pattern, self._window = store, url, pattern, window
        self.others = False
        """Whether objects were skipped because they are of another time."""

    def find(self) -> dict[str, StoredObject]:
        """Return the objects, by name.

        Raises:
            MeasurementError: a part of the listing is missing.
        """
        pattern = self._pattern
        if all(segment.fixed is not None for segment in pattern.segments):
            return dict(self._single())
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            folders, ready = [("", 0)], list[str]()
            while folders:
                ready += [each[0] for each in folders if not _divides(pattern, *each)]
                divided = [each for each in folders if _divides(pattern, *each)]
                inner = pool.map(lambda each: list(self._folders(*each)), divided)
                folders = [folder for some in inner for folder in some]
            listed = list(pool.map(self._objects, [_below(pattern, folder) for folder in ready]))
        stored = (each for some in listed for each in some)
        return {self._url.root + each.key: each for each in stored if self._is_wanted(each)}

    def _single(self) -> Iterator[tuple[str, StoredObject]]:
        key = "/".join(segment.fixed or "" for segment in self._pattern.segments)
        try:
            meta = obstore.head(self._store, key)
        except FileNotFoundError:
            return
        except Exception as error:  # noqa: BLE001 - obstore's have no common class
            raise refused(error, f"looking for {self._url.root}{key}", self._url) from None
        yield self._url.root + key, _object(meta)

    def _folders(self, folder: str, depth: int) -> Iterator[tuple[str, int]]:
        """Yield the subfolders that match the next segment."""
        fixed = self._pattern.segments[depth].fixed
        if fixed is not None:
            yield f"{folder}{fixed}/", depth + 1
            return
        try:
            inner = obstore.list_with_delimiter(self._store, folder or None)["common_prefixes"]
        except Exception as error:  # noqa: BLE001 - as above
            raise refused(error, f"listing {self._url.root}{folder}", self._url) from None
        for path in inner:
            part = self._pattern.part(self._url.root + path, depth + 1)
            if part is None or _is_hidden(path):
                continue
            if part.may_have(self._window):
                yield f"{path}/", depth + 1
            else:
                self.others = True

    def _objects(self, folder: str) -> list[StoredObject]:
        """Return all objects below a folder, from every page."""
        try:
            pages = obstore.list(self._store, folder or None)
            return [_object(meta) for page in pages for meta in page]
        except Exception as error:  # noqa: BLE001 - as above
            raise refused(error, f"listing {self._url.root}{folder}", self._url) from None

    def _is_wanted(self, stored: StoredObject) -> bool:
        part = self._pattern.part(self._url.root + stored.key)
        # Empty ones without a suffix are markers, such as _SUCCESS, or manually created folders.
        mark = not stored.size and "." not in stored.key.rpartition("/")[2]
        if part is None or mark or _is_hidden(stored.key):
            return False
        if not part.may_have(self._window):
            self.others = True
            return False
        return True


def _object(meta: Any) -> StoredObject:
    return StoredObject(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"])


def _divides(pattern: PathPattern, folder: str, depth: int) -> bool:
    """Return whether to list the subfolders, and not everything below the folder."""
    later = pattern.segments[depth:-1]
    if not any(segment.dated for segment in later) or pattern.segments[depth].glob == "**":
        return False
    part = pattern.part(f"{pattern.root}{folder[:-1]}", depth) if depth else None
    return part is None or part.day is None


def _below(pattern: PathPattern, folder: str) -> str:
    """Return the folder that contains all matches, with the certain names that follow."""
    for segment in pattern.segments[folder.count("/") : -1]:
        if segment.fixed is None:
            break
        folder += f"{segment.fixed}/"
    return folder


def _is_hidden(path: str) -> bool:
    return any(name.startswith(".") or name in _STAGING for name in path.split("/"))
