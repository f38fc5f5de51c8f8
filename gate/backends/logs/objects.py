"""Objects of a store as files that DuckDB reads in parts.

Only listed objects can be read, and only in the state in which they were listed.
"""

import glob
import io
import threading
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

import obstore
from fsspec import AbstractFileSystem

from gate.backends.logs.listing import Listing, StoredObject
from gate.backends.logs.partitions import Matches, PathPattern
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.store_errors import refused
from gate.backends.logs.stores import BucketUrl
from gate.measure import MeasurementError
from gate.measure.remedies import hint_for
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_AHEAD: Final = 4 << 20
"""The bytes that are fetched at once for small consecutive reads."""


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """The listed objects as files, for DuckDB and for Python; read only."""

    cachable = False

    def __init__(self, store: Any, url: BucketUrl, timeout: timedelta) -> None:
        super().__init__()
        self.protocol = url.scheme
        self.listed: dict[str, StoredObject] = {}
        """All readable objects by name."""
        self.received = 0
        """The bytes that the store has sent."""
        self.failure: MeasurementError | None = None
        """The reason why an object could not be read. Then DuckDB's answer is incomplete."""
        self.root = url.root
        self._store, self._url, self._timeout = store, url, timeout
        self._end = monotonic() + timeout.total_seconds()
        self._lock = threading.Lock()

    def find(self, pattern: PathPattern, window: Span | None) -> Matches:
        """List the objects that match a path and may have rows of a window, and allow reading them.

        Raises:
            MeasurementError: a part of the listing is missing.
        """
        listing = Listing(self._store, self._url, pattern, window)
        matches = listing.find()
        self.listed |= matches
        return Matches(pattern, sorted(matches), listing.others)

    def open(
        self, path: str, mode: str = "rb", *, ahead: int | None = None, **_: object
    ) -> io.RawIOBase:
        """Open an object for reading.

        Args:
            path: its name; DuckDB also requests the name escaped by `glob.escape`.
            mode: ``rb``; nothing else is possible.
            ahead: the minimum number of bytes to fetch; None: by its format.
        """
        if mode != "rb":
            raise PermissionError(path)
        if ahead is None:  # for Parquet, DuckDB requests exactly what it needs
            ahead = 0 if path.endswith(".parquet") else _AHEAD
        return _ObjectFile(self, self._object(path), ahead)

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        """Return the bytes of an object between two positions, at most up to its end.

        Raises:
            MeasurementError: they are not available; ``failure`` has the reason, too.
        """
        try:
            read = self._read(stored, start, end)
        except MeasurementError as failure:
            self.failure = self.failure or failure
            raise
        with self._lock:
            self.received += len(read)
        return read

    def _read(self, stored: StoredObject, start: int, end: int) -> bytes:
        if monotonic() > self._end:
            raise unreadable(f"reading the logs took longer than {format_duration(self._timeout)}")
        same: dict[str, Any] = (
            {"if_match": stored.tag} if stored.tag else {"if_unmodified_since": stored.modified}
        )
        name = f"{self._url.root}{stored.key}"
        try:
            options: Any = {"range": (start, end), **same}
            answer = obstore.get(self._store, stored.key, options=options)
            # A store that does not support conditions answers with the current content.
            changed = answer.meta["size"] != stored.size or _tag(answer.meta["e_tag"]) != _tag(
                stored.tag
            )
            read = b"" if changed else answer.bytes().to_bytes()
        except FileNotFoundError:
            raise unreadable(f"{name} was there and is gone{hint_for('changed-object')}") from None
        except obstore.exceptions.PreconditionError:
            changed, read = True, b""
        except Exception as error:  # noqa: BLE001 - obstore's have no common class
            raise refused(error, f"reading {name}", self._url) from None
        if changed:
            raise unreadable(f"{name} has changed since it was listed{hint_for('changed-object')}")
        if len(read) != end - start:
            raise unreadable(
                f"the store sent {len(read)} of {end - start} bytes of {name}"
                + hint_for("store-failed")
            )
        return read

    def _object(self, path: str) -> StoredObject:
        stored = self.listed.get(path) or self.listed.get(_unescaped(path))
        if stored is None:
            raise FileNotFoundError(path)
        return stored

    def exists(self, path: str, **_: object) -> bool:
        """Return whether the object is listed."""
        return path in self.listed or _unescaped(path) in self.listed

    def isfile(self, path: str) -> bool:
        """Return whether the object is listed; a store has no folders."""
        return self.exists(path)

    def glob(self, path: str, **_: object) -> list[str]:
        """Return the object of this name; patterns match nothing."""
        return [name for name in dict.fromkeys((path, _unescaped(path))) if name in self.listed]

    def size(self, path: str) -> int:
        """Return the size of an object in bytes."""
        return self._object(path).size

    def modified(self, path: str) -> datetime:
        """Return the time at which an object was written."""
        return self._object(path).modified


def _tag(text: str | None) -> str | None:
    """Remove the quotes that Azure writes around it only in some answers."""
    return text and text.strip('"')


def _unescaped(path: str) -> str:
    """Undo `glob.escape`."""
    for character in "*?[":
        path = path.replace(glob.escape(character), character)
    return path


class _ObjectFile(io.RawIOBase):
    """An open object. DuckDB's threads share it: each seeks, and then reads from there."""

    def __init__(self, files: ObjectFiles, stored: StoredObject, ahead: int) -> None:
        self._files, self._stored, self._least = files, stored, ahead
        self._lock = threading.Lock()
        self._place = 0
        """The position for a thread that reads without a seek."""
        self._sought: dict[int, int] = {}
        """The position of each thread that has sought and not read yet."""
        self._ahead: tuple[int, bytes] = 0, b""
        """The bytes that were fetched last, with their position."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._lock:
            place = offset + (0, self._place, self._stored.size)[whence]
            # Threads that read at their own places never seek to the same one: this one starts
            # again, and the other has only rewound.
            self._sought = {of: other for of, other in self._sought.items() if other != place}
            self._sought[threading.get_ident()] = self._place = place
        return place

    def read(self, size: int | None = -1) -> bytes:
        with self._lock:
            start = self._sought.pop(threading.get_ident(), None)
            if start is None:  # one thread continues where the previous one ended
                self._sought.clear()
                start = self._place
            whole = size is None or size < 0
            end = self._stored.size if whole else min(start + (size or 0), self._stored.size)
            self._place = max(start, end)
        return self._bytes(start, end) if start < end else b""

    def _bytes(self, start: int, end: int) -> bytes:
        begin, ahead = self._ahead
        if begin <= start and end <= begin + len(ahead):
            return ahead[start - begin : end - begin]
        last = min(max(end, start + self._least), self._stored.size)
        read = self._files.read(self._stored, start, last)
        if last > end:
            self._ahead = start, read
        return read[: end - start]
