"""Output: the report to stdout, messages to stderr, copies to files.

None of it can change the exit code: a closed pipe, a full disk and a missing folder are reported on
stderr if possible. The exception are files that are the purpose of a command.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import click

from gate.cli.files import open_to_write
from gate.errors import UsageError
from gate.reporters.ansi import Style
from gate.reporters.escape import log_json, log_text, log_xml, plain

_PLAIN_WIDTH: Final = 100
"""The width if the reader's screen is unknown, as in a CI log."""
QUIET: Final = "gate.quiet"
COLOR: Final = "gate.color"
"""The values of ``--quiet`` and ``--color``, in the context of the running command."""
_WARNING: Final = "gate: warning: "


def open_closed() -> None:
    """Replace a closed stdout or stderr (``>&-``) by one that discards its text."""
    if sys.__stdout__ is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a device, to the end
    if sys.__stderr__ is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a device, to the end


_HARMLESS: Final[Mapping[str, Callable[[str], str]]] = {
    **dict.fromkeys(("json", "sarif", "codequality", "gitlab", "intoto"), log_json),
    "junit": log_xml,
    "github": str,  # this format consists of commands, and escapes their values
}
"""By format, the function that makes a text safe: no runner finds a command in it."""


def write(text: str, form: str = "terminal") -> None:
    """Write to stdout and flush, such that no runner of CI jobs finds a command in the text.

    Args:
        text: any lines, even with foreign text.
        form: the format of the text, as `gate.reporters.REPORTERS` names it.
    """
    harmless = _HARMLESS.get(form)
    try:
        _put(sys.stdout, harmless(text) if harmless else log_text(text, paint=True))
    except BrokenPipeError:
        _silence(sys.stdout)  # the reader has closed the pipe, as in ``gate status | head -3``
    except OSError as error:
        _silence(sys.stdout)
        write_stderr(f"{_WARNING}the report could not be written: {error.strerror}")


def write_stderr(text: str) -> None:
    """Write a line to stderr in the same way; it is lost if nobody can read it."""
    try:
        _put(sys.stderr, f"{log_text(text)}\n")
    except OSError:
        _silence(sys.stderr)


def is_quiet() -> bool:
    """Return whether the command of this thread writes no notes."""
    return bool(_chosen(QUIET))


def _chosen(key: str) -> Any:
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(key)


def write_note(text: str) -> None:
    """Write progress, or what was done, to stderr; with ``--quiet`` only its warnings."""
    lines = text.splitlines()
    if is_quiet():
        lines = [line for line in lines if line.startswith(_WARNING)]
    for line in lines:
        write_stderr(line)


def write_output(path: str, text: str) -> bool:
    """Write a report to the file of ``--output``, and report its size.

    Returns:
        Whether it could be written; a failure is a warning.
    """
    try:
        create_file(Path(path), text)
    except OSError as error:
        write_stderr(
            f"{_WARNING}{path} could not be written: {error.strerror}; the report is on stdout"
        )
        return False
    write_note(f"wrote {path} ({_size(len(text.encode('utf-8', 'replace')))})")
    return True


def write_result(text: str, output: str | None) -> None:
    """Write the result of a command to a file or to stdout; a file never changes the exit code."""
    if output is None or not write_output(output, text):
        write(text)


def write_line(text: str, output: str | None = None) -> None:
    """Write a result of a single line, even if foreign words in it have line breaks."""
    write_result(f"{plain(text)}\n", output)


def deliver(text: str, output: str | None) -> None:
    """Write the document that a command makes to a file, or else to stdout.

    Raises:
        UsageError: the file cannot be written.
    """
    if output is None:
        write(text)
        return
    try:
        create_file(Path(output), text)
    except OSError as error:
        raise UsageError(f"{output} could not be written: {error.strerror}") from error
    write_note(f"wrote {output} ({_size(len(text.encode('utf-8', 'replace')))})")


def _size(count: int) -> str:
    """Write a number of bytes for people: 812 bytes, 137 kB, 1.2 MB."""
    for unit, factor, digits in (("MB", 10**6, 1), ("kB", 10**3, 0)):
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{count} bytes"


def write_file(path: str, text: str) -> None:
    """Write a copy of a report; a failure is a warning."""
    try:
        with open_to_write(path) as file:
            _write_all(file, text)
    except OSError as error:
        write_stderr(f"{_WARNING}{path} could not be written: {error.strerror}")


def style_of(stream: TextIO, environ: Mapping[str, str]) -> Style:
    """Return the style of a report on a stream.

    ``--color`` decides on colours. By default, terminals have colours unless ``NO_COLOR`` is set
    (https://no-color.org); ``FORCE_COLOR`` turns them on elsewhere.
    """
    terminal = stream.isatty()
    color = terminal or bool(environ.get("FORCE_COLOR"))
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        color = False
    color = {"always": True, "never": False}.get(_chosen(COLOR), color)
    width = shutil.get_terminal_size().columns if terminal or environ.get("COLUMNS") else 0
    unicode = (stream.encoding or "").lower().replace("-", "").startswith("utf")
    return Style(width=width or _PLAIN_WIDTH, color=color, unicode=unicode)


def create_file(path: Path, text: str, *, folders: bool = False) -> None:
    """Write a file that the user named, and with ``folders`` the missing folders of its path.

    Raises:
        OSError: it cannot be written, or a part of its path is a link in the checkout.
    """
    with open_to_write(path, folders=folders) as file:
        _write_all(file, text)


def _write_all(file: BinaryIO, text: str) -> None:
    data = memoryview(text.encode("utf-8", "replace"))
    while data:  # a pipe or a nearly full disk writes only a part
        data = data[file.write(data) :]


def _put(stream: TextIO, text: str) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a name that the terminal cannot show must not fail
    stream.write(text)
    stream.flush()


def _silence(stream: TextIO) -> None:
    """Discard text that is still buffered, so that the interpreter's end does not fail on it."""
    with suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), stream.fileno())
