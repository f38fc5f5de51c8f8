"""The Python environment of the GitHub Action: made from pinned hashes, once a job.

``python -m gate.github_action.venv`` prints the path of its Python. It runs before anything else is
installed, so it needs no more than Python's own library.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn

from gate.github_action.step import Step

Call = Callable[[Sequence[str]], None]
"""Runs a command.

Raises:
    subprocess.CalledProcessError: it failed; with its output.
"""


_PYTHON: Final = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


_PIP: Final = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")


_PINNED: Final = ("--require-hashes", "--only-binary=:all:")
"""Nothing that is not on the list; nothing that would run code to be built."""


def requirements(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the lists of what must be installed."""
    folder = Path(environ["GITHUB_ACTION_PATH"], ".github", "action")
    more = ("requirements-logs.txt",) if environ.get("GATE_INPUT_LOGS") == "true" else ()
    return tuple(folder / name for name in ("requirements.txt", *more))


def prepare(temporary: Path, lists: Sequence[Path], call: Call) -> Path:
    """Return the Python of an environment with just what the lists name; make it if need be.

    Raises:
        OSError: a list cannot be read, or the environment cannot be written.
        subprocess.CalledProcessError: it could not be made.
    """
    made_of = [sys.version.encode(), sys.prefix.encode(), *(one.read_bytes() for one in lists)]
    name = sha256(b"\0".join(made_of)).hexdigest()[:16]
    folder = temporary / f"gate-python-{name}"
    python, ready = folder / _PYTHON, folder / "ready"
    if not ready.exists():
        # Isolated: neither the folder that is checked out nor PYTHONPATH has a say.
        call([sys.executable, "-I", "-m", "venv", "--clear", str(folder)])
        named = [part for one in lists for part in ("--requirement", str(one))]
        call([str(python), "-I", *_PIP, *_PINNED, *named])
        ready.touch()
    return python


def run() -> NoReturn:
    """Make the environment that this process's variables ask for, and end the process."""
    step = Step(os.environ, sys.stderr)
    try:
        python = prepare(Path(os.environ["RUNNER_TEMP"]), requirements(os.environ), _call)
    except subprocess.CalledProcessError as error:
        with step.foreign():
            step.say(error.stdout)
    except OSError as error:
        with step.foreign():
            step.say(str(error))
    else:
        sys.stdout.write(str(python))
        sys.exit(0)
    step.annotate("error", "The gate could not be installed; the log says why. This is no verdict.")
    sys.exit(1)


def _call(command: Sequence[str]) -> None:
    # Installing for the user only, where that is the machine's habit, fails in an environment.
    environ = {**os.environ, "PIP_USER": "0"}
    subprocess.run(  # noqa: S603 - no shell
        command,
        check=True,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


if __name__ == "__main__":
    run()
