"""What the measuring commands have in common: reading the policies, progress, and reporting."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

from gate.cli.streams import style_of, write, write_file, write_stderr
from gate.config.load import PolicyFile, load
from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.errors import Mistake, PolicyError, UndecidedError
from gate.reporters import render_page
from gate.reporters.ansi import Style
from gate.reporters.page import Output

Render = Callable[[str, Style], str]
"""A report in a format, for a style."""
Read = Callable[[str], PolicyFile]
_QUIET_SECONDS: Final = 2.0
"""A backend that answers sooner is not worth a word."""
FILE_STYLE: Final = Style(width=100)


def read_file(path: str) -> PolicyFile:
    """Read a policy file as it is."""
    return load(path, os.environ)


def load_all(paths: Sequence[str], read: Read = read_file) -> list[PolicyFile]:
    """Read every policy file; warnings go to stderr.

    Raises:
        PolicyError: the mistakes of all files together.
        UndecidedError: of some it is not known which text counts; all reasons together.
    """
    files: list[PolicyFile] = []
    mistakes: list[Mistake] = []
    undecided: list[str] = []
    for path in paths:
        try:
            files.append(read(path))
        except PolicyError as error:
            mistakes.extend(error.mistakes)
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


def now() -> datetime:
    """Return the instant of a run that was given none, to the second, as the report prints it."""
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def progress(files: Sequence[PolicyFile]) -> Iterator[None]:
    """Tell on stderr that a slow backend is being waited for, and for how long already."""
    done = Event()
    services = ", ".join(file.policy.service for file in files)

    def watch() -> None:
        waited = _QUIET_SECONDS
        while not done.wait(_QUIET_SECONDS):
            write_stderr(f"gate: measuring {services} ({waited:.0f} s)")
            waited += _QUIET_SECONDS

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def append(path: str, decision: Decision) -> None:
    """Add a line on a decision to a log; a failure is a warning, as with any report."""
    from gate.cli.log_files import append_made  # noqa: PLC0415 - where it is kept only
    from gate.decision.chain import next_line  # noqa: PLC0415 - as above

    document = to_document(decision)
    append_made(path, lambda content: next_line(content, document, decision.key))


def write_report(render: Render, name: str, copies: Sequence[tuple[str, str]]) -> None:
    """Write the report to stdout in one format, and the copies to their files."""
    write_copies(render, copies)
    write(render(name, style_of(sys.stdout, os.environ)), name)


def report_page(output: Output, name: str, copies: Sequence[tuple[str, str]]) -> None:
    """Write a result to stdout in one of the formats of every command, and the copies."""
    write_report(lambda form, style: render_page(form, output, style), name, copies)


def write_copies(render: Render, copies: Sequence[tuple[str, str]]) -> None:
    """Write the report to files, each in its format; one that cannot be written is a warning."""
    for copy, path in copies:
        write_file(path, render(copy, FILE_STYLE))
