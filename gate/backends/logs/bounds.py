"""Limits on a statement that DuckDB itself lacks: within one value it checks none.

With DuckDB 2.0.1 ``repeat('x', 3000000000)`` took six times its ``memory_limit``, and obeyed an
interrupt only after 50 s.
"""

import os
import queue
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final, TypeVar

resource: Final[Any] = import_module("resource") if sys.platform != "win32" else None
Value = TypeVar("Value")
_STATISTICS: Final = Path("/proc/self/statm")
_UNITS: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE: Final = re.compile(r"([0-9.]+) (KiB|MiB|GiB|TiB)")
_LAST_WAIT: Final = 0.2
"""The time between two checks of the worker, in seconds."""
_SPARE: Final = 1 << 30
_SPARE_OF_A_CORE: Final = 1 << 27
"""Bytes of addresses, not of memory, that threads and their heaps reserve."""


class Worker:
    """A thread that runs one task after another, and that the process does not wait for at its end.

    A pool's thread would keep the process from ending while DuckDB computes a value.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Worker":
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the thread end after its task; a stuck thread is not waited for."""
        self._tasks.put(None)
        self._thread.join(_LAST_WAIT)

    def submit(self, task: Callable[[], Value]) -> Future[Value]:
        """Run the task after the earlier ones."""
        future: Future[Value] = Future()
        self._tasks.put((task, future))
        return future

    def _work(self) -> None:
        while (item := self._tasks.get()) is not None:
            task, future = item
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                future.set_exception(error)


_lock: Final = Lock()
_before: Final[list[tuple[int, int]]] = []
"""The limits to restore, for each bound in force; several threads may have one."""


@contextmanager
def bounded_memory(limit: str) -> Iterator[None]:
    """Limit the growth of the process to a size that DuckDB writes (``11.7 GiB``).

    Larger allocations fail: DuckDB then ends the statement, and the process continues. This needs a
    system that counts addresses, as Linux does; elsewhere only DuckDB's own limit holds.
    """
    size = _SIZE.fullmatch(limit)
    used = _addresses()
    if size is None or used is None:
        yield
        return
    spare = _SPARE + _SPARE_OF_A_CORE * (os.cpu_count() or 1)
    most = used + int(float(size[1]) * _UNITS[size[2]]) + spare
    with _lock:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        _before.append((soft, hard))
        bounds = [bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([most, *bounds]), hard))
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:
                resource.setrlimit(resource.RLIMIT_AS, before)


def _addresses() -> int | None:
    """Return the size of the process's address space in bytes; None: unknown to the system."""
    try:
        pages = _STATISTICS.read_text(encoding="ascii").split()[0]
    except OSError:
        return None
    page: int = resource.getpagesize()
    return int(pages) * page
