"""Several slow things at once."""

from collections.abc import Callable, Sequence
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


def run_concurrently(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Carry out tasks at once, and return what each returns, in order; the first error is raised.

    Each may wait for a backend of its own.
    """
    if len(tasks) == 1:
        return [tasks[0]()]
    return [future.result() for future in [_start(task) for task in tasks]]


def _start(task: Callable[[], T]) -> "Future[T]":
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
