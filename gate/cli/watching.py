"""The machinery of a watch: signals, a clock, its state in a file, a command to run."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final, TypeVar

from gate.analysis.watch import WatchLook, WatchOptions, WatchReport, watch_document
from gate.analysis.watch.phrases import lines, live_line, state_of
from gate.analysis.watch.state import Surroundings
from gate.cli.streams import is_quiet, style_of, write_note, write_stderr
from gate.cli.watch_options import StateFile
from gate.history.sequential.verdict import CanaryStanding
from gate.reporters.escape import plain

T = TypeVar("T")
_ENDING: Final = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""The signals that a runner sends before it kills a job, if the system has them."""
_OFTEN: Final = 10
"""The number of looks after which a log gets at least one line."""
_COMMAND_SECONDS: Final = 300.0
"""The time limit of the command that runs on a rollback."""


def steady_seconds() -> float:
    """Return a monotonic time in seconds, which also advances while a machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Watchman:
    """Waits, asks without blocking signals, and shows the progress of the watch."""

    def __init__(self, options: WatchOptions, state: StateFile, at: datetime) -> None:
        self._options = options
        self._state = state
        self._at = at
        self._awake = Event()
        self._ending = False
        self._live = sys.stderr.isatty() and not is_quiet()
        self._shown: tuple[object, ...] = ()
        self._silent = 0

    @contextmanager
    def on_duty(self) -> Iterator[Surroundings]:
        """Let the signals that end a job end the watch instead of the process."""
        before = {}
        with suppress(ValueError):  # only the main thread can handle signals
            for name in _ENDING:
                if (number := getattr(signal, name, None)) is not None:
                    before[number] = signal.signal(number, self._end)
        try:
            yield Surroundings(
                wall=lambda: self._at,
                steady=steady_seconds,
                pause=self._pause,
                ask=self._ask,
                keep=self._state.keep,
                tell=self._tell,
            )
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._erase()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        self._awake.set()

    def _pause(self, seconds: float) -> bool:
        self._awake.clear()
        if not self._ending:  # from here on, a signal wakes it up
            self._awake.wait(seconds)
        return self._ending

    def _ask(self, question: Callable[[], T]) -> T | None:
        """Return the result of a question; it runs in a thread, so that a signal can end it."""
        answers, errors = list[T](), list[BaseException]()
        if self._ending:
            return None

        def work() -> None:
            try:
                answers.append(question())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                errors.append(error)
            self._awake.set()

        self._awake.clear()
        Thread(target=work, daemon=True).start()
        while not (answers or errors or self._ending):
            self._awake.wait()
            self._awake.clear()
        if errors:
            raise errors[0]
        return answers[0] if answers else None

    def _tell(self, look: WatchLook) -> None:
        """Show the newest look: in a line that is overwritten, or in a log if there is news."""
        if self._live:
            self._draw(live_line(look, self._options))
            return
        state = state_of(look)
        self._silent += 1
        if state != self._shown or self._silent >= _OFTEN:
            self._shown, self._silent = state, 0
            for line in lines(look, self._options):
                write_note(f"gate: {line}")

    def _draw(self, line: str) -> None:
        width = style_of(sys.stderr, os.environ).width
        with suppress(OSError):
            sys.stderr.write(f"\r\x1b[2K{plain(line)[: width - 1]}")
            sys.stderr.flush()

    def _erase(self) -> None:
        if self._live:
            self._draw("")


def run_command(command: str, report: WatchReport) -> None:
    """Run the user's command for a rollback, and report the outcome.

    No part of the report is in the text that the shell reads: it is in the environment.
    """
    with tempfile.TemporaryDirectory(prefix="gate-watch-") as folder:
        file = Path(folder) / "watch.json"
        file.write_text(json.dumps(watch_document(report), indent=2) + "\n", encoding="utf-8")
        write_note("gate: running the command for a rollback")
        trouble = _run(command, {**os.environ, **_variables(report), "GATE_WATCH_FILE": str(file)})
    if trouble:
        write_stderr(f"gate: warning: the command for a rollback {trouble}; the verdict stays")
    else:
        write_note("gate: the command for a rollback has succeeded")


def _variables(report: WatchReport) -> dict[str, str]:
    """Return the environment of the command, each value on one line."""
    arms = report.options.arms
    accused = [
        slo.slo.name for slo in report.slos if slo.overspent or slo.standing is CanaryStanding.WORSE
    ]
    values = {
        "VERDICT": str(report.verdict),
        "SERVICE": report.policy.service,
        "CANARY": str(arms.canary),
        "BASELINE": "" if arms.baseline is None else str(arms.baseline),
        "SLO": ",".join(accused),
        "REASON": report.reasons[0],
    }
    return {f"GATE_WATCH_{name}": plain(value) for name, value in values.items()}


def _run(command: str, environ: dict[str, str]) -> str:
    """Run a command in a shell, with its output on stderr; return its failure, empty: none."""
    process = subprocess.Popen(  # noqa: S602 - it is the user's own command line
        command,
        shell=True,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=sys.stderr.fileno(),
        start_new_session=True,
    )
    try:
        code = process.wait(_COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)
        return f"was ended after {_COMMAND_SECONDS:.0f} s"
    except BaseException:
        _kill(process)
        raise
    return f"has failed with exit code {code}" if code else ""


def _has_groups() -> bool:
    return hasattr(os, "killpg")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all processes that it started, if the system has process groups."""
    with suppress(ProcessLookupError):
        if _has_groups():
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
