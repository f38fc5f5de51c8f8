"""Waiting for several backends at once, and the pauses of a backend before a retry.

The command that reports these on stderr watches from its own thread and knows no backend; a backend
knows no command.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

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


T = TypeVar("T")
U = TypeVar("U")


def run_concurrently(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks at the same time, and return their results in order; the first error is raised.

    Each task may wait for its own backend.
    """
    if len(tasks) == 1:
        return [tasks[0]()]
    return [future.result() for future in [start(task) for task in tasks]]


def run_both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """Run two tasks at the same time, the second in this thread, and return their results."""
    future = start(first)
    result = second()
    return future.result(), result


def start(task: Callable[[], T]) -> "Future[T]":
    """Run a task in a daemon thread: Ctrl-C must not wait for a slow backend."""
    from concurrent.futures import Future  # noqa: PLC0415 - costs 3 ms, for several policies only

    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future
