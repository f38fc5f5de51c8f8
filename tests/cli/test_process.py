"""How the process of the command begins and ends."""

import gc
from collections.abc import Callable, Iterator
from threading import Event, Thread, main_thread

import pytest

from gate.__main__ import run as installed
from gate.cli.main import run


class EndedError(Exception):
    """Stands for the end of the process; its argument is the exit code."""


def end(code: int) -> None:
    raise EndedError(code)


@pytest.fixture(autouse=True)
def handled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A process whose end is played; what others do at its end is noted."""
    handled: list[str] = []
    thresholds = gc.get_threshold()
    monkeypatch.setattr("sys.argv", ["gate", "nosuch"])
    monkeypatch.setattr("os._exit", end)
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: handled.append("handlers"))
    monkeypatch.setattr("threading.enumerate", lambda: [main_thread()])
    yield handled
    gc.set_threshold(*thresholds)
    gc.enable()


def test_it_ends_with_its_code_after_what_others_do_at_the_end(handled: list[str]) -> None:
    with pytest.raises(EndedError, match="2"):
        run()

    assert handled == ["handlers"]


def test_a_thread_that_is_stuck_does_not_change_the_code(
    handled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the interpreter's end such a thread would abort the process: exit code 134 for 3."""
    stop = Event()
    stuck = Thread(target=stop.wait, daemon=True)
    stuck.start()
    monkeypatch.setattr("threading.enumerate", lambda: [main_thread(), stuck])

    with pytest.raises(EndedError, match="2"):
        run()
    stop.set()

    assert handled == []


def test_the_installed_command_runs_the_same() -> None:
    with pytest.raises(EndedError, match="2"):
        installed()


def test_garbage_is_looked_for_again_once_the_modules_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enabled: list[bool] = []
    start: Callable[[], None] = installed
    monkeypatch.setattr("gate.cli.main.run", lambda: enabled.append(gc.isenabled()))

    start()
    with pytest.raises(EndedError):
        run()

    assert [*enabled, gc.isenabled()] == [False, True]
