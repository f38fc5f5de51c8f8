"""The parts that all measuring commands share: reading policies, progress, and reporting."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Final

from gate.backends.waits import waited_for
from gate.cli.command import DEFAULT_POLICY
from gate.cli.streams import is_quiet, style_of, write, write_file, write_output, write_stderr
from gate.config.load import PolicyFile, load
from gate.decision.decision import Decision
from gate.errors import Mistake, PolicyError, UndecidedError
from gate.parsing.reader import EMPTY
from gate.reporters import render_page
from gate.reporters.ansi import Style
from gate.reporters.page import Output

STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"
"""The name of a policy that is read from stdin."""
_ONLY_VALIDATE: Final = "only gate validate"
Render = Callable[[str, Style], str]
"""A function that writes a report in a format, for a style."""
Read = Callable[[str], PolicyFile]
_QUIET_SECONDS: Final = 2.0
"""The time without a progress message: most backends answer sooner."""
_FILE_STYLE: Final = Style(width=100)


def read_file(path: str) -> PolicyFile:
    """Read a policy file from the checkout."""
    return load(path, os.environ)


def load_all(
    paths: Sequence[str], read: Read = read_file, *, max_scan: int | None = None
) -> list[PolicyFile]:
    """Read every policy file; warnings are written to stderr.

    Args:
        paths: the paths of the files.
        read: reads a policy file.
        max_scan: the maximum number of bytes that a statement of a backend may read; None: as in
            its block.

    Raises:
        PolicyError: the mistakes of all files together.
        UndecidedError: the text that counts is unknown for some files; all reasons together.
    """
    files: list[PolicyFile] = []
    mistakes: list[Mistake] = []
    undecided: list[str] = []
    for path in paths:
        try:
            files.append(replace(read(path), max_scan=max_scan))
        except PolicyError as error:
            mistakes.extend(with_remedy(path, error.mistakes))
        except UndecidedError as error:
            undecided.append(str(error))
    if mistakes:
        raise PolicyError(tuple(mistakes))
    if undecided:
        raise UndecidedError("\n".join(dict.fromkeys(undecided)))
    for file in files:
        for warning in file.warnings:
            write_stderr(str(warning))
    return files


def with_remedy(path: str, mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Return the mistakes of a policy; if the file does not exist, with a remedy.

    Args:
        path: the path of the policy, as it was given.
        mistakes: the mistakes in it, and in other files that it names.
    """
    return tuple(
        replace(mistake, message=_with_remedy(path, mistake.message))
        if mistake.file == path
        else mistake
        for mistake in mistakes
    )


def _with_remedy(path: str, message: str) -> str:
    named = "" if path in {DEFAULT_POLICY, STDIN_NAME} else f" {path}"
    if message == EMPTY:
        force = "" if path == STDIN_NAME else " --force"
        return f"{message}; gate init{force}{named} writes a first policy"
    if Path(path).is_dir():
        return f"this is a folder; name a policy file; {_ONLY_VALIDATE} takes a folder"
    if not message.endswith(os.strerror(errno.ENOENT)):
        return message
    if path == STDIN:
        return f"{message}; name a policy file; {_ONLY_VALIDATE} takes - for stdin"
    return f"{message}; gate init{named} writes a first policy"


def now() -> datetime:
    """Return the present instant, to the second, as the report prints it."""
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def progress(files: Sequence[PolicyFile]) -> Iterator[None]:
    """Report on stderr that a slow backend has not answered yet, and how long it has taken."""
    if is_quiet():
        yield
        return
    done = Event()
    services = ", ".join(file.policy.service for file in files)

    def watch() -> None:
        waited = _QUIET_SECONDS
        while not done.wait(_QUIET_SECONDS):
            words = waited_for()
            reason = f"; {words}" if words else ""
            write_stderr(f"gate: measuring {services} ({waited:.0f} s){reason}")
            waited += _QUIET_SECONDS

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def append(path: str, decision: Decision) -> None:
    """Append a line about a decision to a log; a failure is a warning, as for any report."""
    from gate.cli.log_files import append_made  # noqa: PLC0415 - where it is kept only
    from gate.decision.chain import next_line  # noqa: PLC0415 - as above
    from gate.decision.document import to_document  # noqa: PLC0415 - as above

    document = to_document(decision)
    append_made(path, lambda content: next_line(content, document, decision.key))


def write_report(
    render: Render, form: str, output: str | None, copies: Sequence[tuple[str, str]]
) -> bool:
    """Write the report and its copies.

    Args:
        render: writes the report in a format.
        form: the format of the report.
        output: its file; None: stdout, which is also used if the file cannot be written.
        copies: pairs of format and file.

    Returns:
        Whether the report is in a file.
    """
    for copy, path in copies:
        write_file(path, render(copy, _FILE_STYLE))
    if output is not None:
        if write_output(output, render(form, _FILE_STYLE)):
            return True
        form = "terminal"
    write(render(form, style_of(sys.stdout, os.environ)), form)
    return False


def report_page(
    page: Output, form: str, output: str | None, copies: Sequence[tuple[str, str]]
) -> None:
    """Write a result like `write_report`, in formats of every command."""
    write_report(lambda name, style: render_page(name, page, style), form, output, copies)
