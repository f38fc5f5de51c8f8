"""One step of a GitHub Actions job: its Python environment, its outputs, summary and log.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands. ``python
-m gate.github_action.step`` creates the environment from pinned hashes, once for each job, and
prints the path of its Python. It runs before anything is installed, so this module needs only
Python's standard library.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, NoReturn, TextIO

from gate.dataclass import dataclass
from gate.hosts.cut import truncate

SUMMARY_BYTES: Final = 1024 * 1024
"""GitHub does not show a longer summary at all."""
_POINTER: Final = (
    "_Cut here: a summary cannot be longer. The output `report` of the step has it whole._"
)


@dataclass(frozen=True, slots=True)
class Step:
    """The files that the runner reads after a step. No method raises: reporting never decides."""

    environ: Mapping[str, str]
    log: TextIO

    def say(self, text: str) -> None:
        """Write text to the log as it is; write foreign text only within `foreign`."""
        self.log.write(text if text.endswith("\n") else f"{text}\n")
        self.log.flush()

    @contextmanager
    def foreign(self) -> Iterator[None]:
        """Stop the runner from reading commands in any text until the block ends."""
        token = secrets.token_hex(16)
        self.say(f"::stop-commands::{token}")
        try:
            yield
        finally:
            self.say(f"\n::{token}::")

    def annotate(self, kind: Literal["error", "warning", "notice"], message: str) -> None:
        """Write an annotation, which the page of the run shows as well."""
        self.say(f"::{kind} title=gate::{_data(message)}")

    def mask(self, secret: str) -> None:
        """Make the runner mask a secret wherever the log would show it."""
        self.say(f"::add-mask::{_data(secret)}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Set outputs of the step; the later of two with the same name counts."""
        self._append("GITHUB_OUTPUT", "".join(map(_output, outputs.items())))

    def summarize(self, markdown: str) -> None:
        """Add Markdown to the summary of the job, up to the maximum length."""
        self._append("GITHUB_STEP_SUMMARY", within(f"{markdown}\n", SUMMARY_BYTES))

    def _append(self, variable: str, text: str) -> None:
        try:
            with Path(self.environ[variable]).open("ab") as file:
                file.write(text.encode("utf-8", "replace"))
        except (KeyError, OSError) as error:
            self.annotate("warning", f"{variable} cannot be written: {error}")


def within(markdown: str, most: int) -> str:
    """Return the Markdown, or as many of its lines as fit into this number of bytes of UTF-8."""
    limit = most
    while True:
        text = truncate(markdown, limit, _POINTER)
        size = len(text.encode("utf-8", "replace"))
        if size <= most:
            return text
        # A character has at most four bytes, so this ends at a quarter at the latest.
        limit = limit * most // size


def _output(pair: tuple[str, str]) -> str:
    name, value = pair
    delimiter = secrets.token_hex(16)  # an end mark that cannot occur in a value
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


_Call = Callable[[Sequence[str]], None]
"""A function that runs a command.

Raises:
    subprocess.CalledProcessError: the command failed; the exception has its output.
"""
_PYTHON: Final = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
_PIP: Final = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
_PINNED: Final = ("--require-hashes", "--only-binary=:all:")
"""Options that allow only packages on the list, and no code that runs to build a package."""


def requirement_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the lists of the packages to install."""
    folder = Path(environ["GITHUB_ACTION_PATH"], ".github", "action")
    more = ("requirements-logs.txt",) if environ.get("GATE_INPUT_LOGS") == "true" else ()
    return tuple(folder / name for name in ("requirements.txt", *more))


def prepare_environment(temporary: Path, lists: Sequence[Path], call: _Call) -> Path:
    """Return the Python of an environment with exactly the listed packages; create it if needed.

    Raises:
        OSError: a list cannot be read, or the environment cannot be written.
        subprocess.CalledProcessError: it could not be created.
    """
    made_of = [sys.version.encode(), sys.prefix.encode(), *(file.read_bytes() for file in lists)]
    name = sha256(b"\0".join(made_of)).hexdigest()[:16]
    folder = temporary / f"gate-python-{name}"
    python, ready = folder / _PYTHON, folder / "ready"
    if not ready.exists():
        # Isolated from the folder that is checked out and from PYTHONPATH.
        call([sys.executable, "-I", "-m", "venv", "--clear", str(folder)])
        named = [part for file in lists for part in ("--requirement", str(file))]
        call([str(python), "-I", *_PIP, *_PINNED, *named])
        ready.touch()
    return python


def run() -> NoReturn:
    """Create the environment that this process's variables describe, and end the process."""
    step = Step(os.environ, sys.stderr)
    try:
        python = prepare_environment(
            Path(os.environ["RUNNER_TEMP"]), requirement_files(os.environ), _call
        )
    except subprocess.CalledProcessError as error:
        with step.foreign():
            step.say(error.stdout)
    except OSError as error:
        with step.foreign():
            step.say(str(error))
    else:
        sys.stdout.write(str(python))
        sys.exit(0)
    step.annotate("error", "gate could not be installed; the log says why. This is not a verdict.")
    sys.exit(1)


def _call(command: Sequence[str]) -> None:
    # A user-wide installation, the default of some machines, fails in an environment.
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
