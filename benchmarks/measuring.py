"""Wall time and memory of whole processes, taken in turns so that a busy moment hits all alike."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process from start to end."""

    seconds: float
    megabytes: float
    """The most memory that it had at one time."""
    code: int


def gate(*arguments: str) -> list[str]:
    """Return the command line of the gate beside this Python, or of its module."""
    script = shutil.which("gate", path=str(Path(sys.executable).parent))
    return [*([script] if script else [sys.executable, "-m", "gate"]), *arguments]


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, output: Path | None = None
) -> Run:
    """Run a process; what it prints goes to a file, or nowhere."""
    with (output or Path(os.devnull)).open("wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in kilobytes: https://man7.org/linux/man-pages/man2/getrusage.2.html
    return Run(seconds=seconds, megabytes=used.ru_maxrss / 1024, code=process.returncode)


def take_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Run]]:
    """Run each command so many times, after one warm-up each, one after the other."""
    for command in commands.values():
        run(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return runs


def median(runs: Sequence[Run]) -> float:
    """Return the median of the wall times in seconds."""
    return statistics.median(one.seconds for one in runs)


def machine() -> str:
    """Return what the numbers are worth: the machine's size and Python's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, Python {version}"
