"""Files that others may have written: read up to a limit, appended to by one run at a time."""

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from gate.cli.files import open_to_write
from gate.cli.streams import write_stderr
from gate.decision.holding import shown
from gate.errors import UsageError

LARGEST_LOG: Final = 1 << 28
"""The maximum size in bytes of a log: some hundred thousand decisions."""
_PATIENCE: Final = 10.0
"""The maximum time in seconds that other runs may take to add their lines."""
_PAUSE: Final = 0.02
_WITHOUT_WAITING: Final = getattr(os, "O_NONBLOCK", 0)
"""The flag that prevents waiting for the other end of a pipe."""
_ORDINARY: Final = re.compile(r"[A-Za-z0-9._/+@=~-]{1,200}")


class NotReadableError(Exception):
    """A path is not a text file that can be read completely; the message says what it is."""


def read_within(path: str, largest: int) -> bytes:
    """Return the content of a regular file.

    Raises:
        UsageError: it does not exist, or reading it is not permitted.
        NotReadableError: it is a folder, a pipe or a device, or is larger than the limit.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{named(path)} cannot be read: {reason}") from error
    try:
        return _content(descriptor, largest)
    finally:
        os.close(descriptor)


def named(path: str) -> str:
    """Return the name of a file, quoted if it has characters that could mislead a reader."""
    return path if _ORDINARY.fullmatch(path) else shown(path)


def append_made(path: str, make: Callable[[bytes], bytes]) -> None:
    """Append the result of ``make``, which gets the content of the file; a failure is a warning.

    If the system has locks, no other run appends meanwhile.
    """
    try:
        with open_to_write(path, append=True) as file, _locked(file.fileno()):
            text = make(_content(file.fileno(), LARGEST_LOG))
            if os.write(file.fileno(), text) < len(text):
                _not_written(path, "the disk is full; its last line is cut off")
    except OSError as error:
        _not_written(path, error.strerror or str(error))
    except NotReadableError as error:
        _not_written(path, str(error))


def _not_written(path: str, reason: str | None) -> None:
    write_stderr(f"gate: warning: {named(path)} could not be written: {reason}")


def _content(descriptor: int, largest: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise NotReadableError("it is not a regular file")
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise NotReadableError(f"it has more than {largest >> 20} MiB")
    return content


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Lock the file for this run; nothing is locked if the system has no such locks.

    Raises:
        TimeoutError: another run has locked it for too long.
    """
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        yield
        return
    end = time.monotonic() + _PATIENCE
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        if time.monotonic() > end:
            raise TimeoutError("another run has locked it")
        time.sleep(_PAUSE)
    yield  # closing the descriptor releases the lock
