"""Times and memory of whole processes, taken in turns so that a busy moment hits all alike."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ENDS = (0, 10)
"""Exit codes of a command that did its work: all others', and the gate's allow and block."""
_LAUNCHER = """\
import json, os, sys, time
output, *command = sys.argv[1:]
begin = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
])
_, status, used = os.wait4(pid, 0)
seconds = time.perf_counter() - begin
# Linux counts memory in kilobytes: https://man7.org/linux/man-pages/man2/getrusage.2.html
print(json.dumps({
    "seconds": seconds,
    "busy": used.ru_utime + used.ru_stime,
    "megabytes": used.ru_maxrss / 1024,
    "code": os.waitstatus_to_exitcode(status),
}))
"""
"""Starts the process that is measured, from one that is itself small.

Linux hands the most memory that the starting process ever had on to the one it starts, so that
started from here every process would seem to need as much as the benchmark.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process from start to end."""

    seconds: float
    busy: float
    """Seconds of processor time, its own and that of what it started: other work on the machine
    lengthens these less than the wall time."""
    megabytes: float
    """The most memory that it had at one time."""
    code: int
    served: float = 0.0
    """Seconds of processor time that the server had meanwhile, where one was watched."""

    @property
    def all_busy(self) -> float:
        """Processor time of the process and of the server."""
        return self.busy + self.served


def gate(*arguments: str) -> list[str]:
    """Return the command line of the gate beside this Python, or of its module."""
    script = shutil.which("gate", path=str(Path(sys.executable).parent))
    return [*([script] if script else [sys.executable, "-m", "gate"]), *arguments]


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
    server: int | None = None,
) -> Run:
    """Run a process; what it prints on stdout goes to a file, or nowhere.

    Args:
        command: the program and its arguments.
        environment: variables besides those of this process.
        output: the file.
        server: the process of a server whose processor time is measured, too.

    Raises:
        RuntimeError: it failed.
    """
    variables = {**os.environ, **(environment or {})}
    # Users' Python keeps what it compiled; where this is set, ours would compile in every run.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = busy(server) if server else 0.0
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(output or os.devnull)]
    done = subprocess.run(
        [*launcher, *command], cwd=ROOT, env=variables, check=True, capture_output=True
    )
    served = busy(server) - begin if server else 0.0
    taken = Run(**json.loads(done.stdout), served=served)
    if taken.code not in _ENDS:
        raise RuntimeError(f"{list(command)} ended with {taken.code}\n{done.stderr.decode()}")
    return taken


def busy(pid: int) -> float:
    """Return the seconds of a processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime and stime, 14th and 15th
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def take_turns(
    commands: Mapping[str, Sequence[str]], rounds: int, server: int | None = None
) -> dict[str, list[Run]]:
    """Run each command so many times, after one warm-up each, one after the other.

    Args:
        commands: by their names.
        rounds: how many times.
        server: as for `run`.
    """
    for command in commands.values():
        run(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command, server=server))
    return runs


def median(runs: Sequence[Run]) -> float:
    """Return the median of the wall times in seconds."""
    return statistics.median(one.seconds for one in runs)


def median_busy(runs: Sequence[Run]) -> float:
    """Return the median of the processor times in seconds."""
    return statistics.median(one.busy for one in runs)


def median_of_all(runs: Sequence[Run]) -> float:
    """Return the median of the processor times in seconds, the server's among them."""
    return statistics.median(one.all_busy for one in runs)


def least_of_all(runs: Sequence[Run]) -> float:
    """Return the least processor time in seconds, the server's in it."""
    return min(one.all_busy for one in runs)


def least_busy(runs: Sequence[Run]) -> float:
    """Return the least of the processor times in seconds."""
    return min(one.busy for one in runs)


def fastest(runs: Sequence[Run]) -> float:
    """Return the shortest of the wall times: what other work on the machine hit least."""
    return min(one.seconds for one in runs)


def machine() -> str:
    """Return what the numbers are worth: the machine's size and load, and Python's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, a load of {os.getloadavg()[0]:.1f}, Python {version}"
