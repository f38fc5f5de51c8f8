"""The pauses of a backend before a retry, for the command that reports them on stderr.

The command watches from its own thread and knows no backend; a backend knows no command.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_waits = list[str]()


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Let `waited_for` return these words, which have no secret, while the block lasts."""
    with _lock:
        _waits.append(words)
    try:
        yield
    finally:
        with _lock:
            _waits.remove(words)


def waited_for() -> str:
    """Return what the run is waiting for, the latest of several; empty: nothing."""
    with _lock:
        return _waits[-1] if _waits else ""
