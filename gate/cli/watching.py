"""The machine of a watch: signals, a clock, its state in a file, a command to run."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final, TypeVar

from gate.analysis.watch import WatchLook, WatchOptions, WatchReport, watch_document
from gate.analysis.watch.phrases import lines, live_line, state_of
from gate.analysis.watch.run import watch_grid
from gate.analysis.watch.state import Surroundings, WatchQuestion, WatchState, read_state
from gate.cli.files import create_whole
from gate.cli.log_files import NotReadableError, named, read_within
from gate.cli.streams import is_quiet, style_of, write_note, write_stderr
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.history.sequential.verdict import CanaryStanding
from gate.reporters.escape import plain
from gate.wording import exact_instant, instant

T = TypeVar("T")
_ENDING: Final = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""The signals that a runner sends before it kills a job, as far as the system has them."""
_LARGEST: Final = 1 << 26
"""Bytes of a state: a step of an SLO takes some forty."""
_OFTEN: Final = 10
"""Looks after which a log gets a line at least."""
_HOUR: Final = timedelta(hours=1)
"""After its end, or as long as it lasts, a watch can be gone on with. A state that is older is most
likely left over from another deploy, and its verdict is about that one."""
_COMMAND_SECONDS: Final = 300.0
"""That the command may take which is run on a rollback."""


def steady_seconds() -> float:
    """Return seconds that no setting of the clock changes, and that pass while a machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


@dataclass(frozen=True, slots=True)
class StateFile:
    """The file in which a watch keeps its state."""

    path: str | None
    """None: nowhere."""
    resume: bool

    def begin(self, question: WatchQuestion, options: WatchOptions, at: datetime) -> WatchState:
        """Return the state to begin with: what the file has, or a new one.

        Raises:
            UsageError: there is a file that is not to be overwritten, or not of this watch; or the
                file cannot be written.
        """
        new = WatchState(question=question, grid=watch_grid(options, at))
        if self.path is None:
            return new
        if not os.path.lexists(self.path):
            self._write(new)
            return new
        if not self.resume:
            raise UsageError(
                f"{named(self.path)} is there already: go on with it by --resume, or remove it"
            )
        try:
            state = read_state(read_within(self.path, _LARGEST), question, named(self.path))
        except NotReadableError as error:
            raise UsageError(f"{named(self.path)} is not the state of a watch: {error}") from error
        if state.grid.start > at + options.every + timedelta(minutes=1):
            raise UsageError(
                f"{named(self.path)} begins at {state.grid.start:%Y-%m-%d %H:%M:%S} UTC, which is"
                " in the future: set the clock, or remove the file to watch from now on"
            )
        if at > state.grid.end + max(options.lasting, _HOUR):
            raise UsageError(
                f"{named(self.path)} is of a watch that ended at {instant(state.grid.end)}, long"
                " ago: remove the file to watch from now on, or write --at"
                f" {exact_instant(state.grid.start)} for what that watch comes to"
            )
        write_note(f"gate: going on with {named(self.path)}, from its look {state.looks}")
        return state

    def keep(self, state: WatchState) -> None:
        """Write the state; that it could not be written is a warning."""
        if self.path is not None:
            with suppress(UsageError):
                self._write(state, warn=True)

    def _write(self, state: WatchState, *, warn: bool = False) -> None:
        try:
            create_whole(Path(self.path or ""), state.text())
        except OSError as error:
            message = f"{named(self.path or '')} could not be written: {error.strerror}"
            if warn:
                write_stderr(f"gate: warning: {message}")
            raise UsageError(message) from error


class Watchman:
    """Waits, asks without blocking signals, and shows how the watch stands."""

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
        """Take the signals that end a job for the end of the watch, and not of the process."""
        before = {}
        with suppress(ValueError):  # signals are for the main thread
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
        if not self._ending:  # a signal from here on wakes it up
            self._awake.wait(seconds)
        return self._ending

    def _ask(self, question: Callable[[], T]) -> T | None:
        """Return what a question comes to; it is put in a thread, so that a signal can end it."""
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
        """Show the newest look: in a line that is written over, or where it says something new."""
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
    """Run what the user wants to be run on a rollback, and say how that went.

    Nothing of the report is in the text that the shell reads: it is in the environment.
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
    """Return what the command finds in its environment, each in one line."""
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
    """Run a command in a shell, its output on stderr; return what went wrong, empty: nothing."""
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
    """End a command with all that it has started, where the system has groups of processes."""
    with suppress(ProcessLookupError):
        if _has_groups():
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
