"""The command in this process: a command line in; an exit code, stdout and stderr out.

A process of its own takes 110 ms of a processor and more, a call in this one some milliseconds.
What only a process can show is tested on `tests.cli.installed.command`: the exit code that a shell
sees, closed pipes, signals, encodings, and what is imported.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TextIO
from unittest.mock import patch

from gate.cli.main import main
from gate.errors import ExitCode
from gate.http import Clock
from gate.parsing.values import parse_instant

UNWANTED = {"FORCE_COLOR", "NO_COLOR", "COLUMNS"}
"""Variables of the caller's that would change the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


Run = Callable[..., Result]
"""Runs the command; its arguments are the words of the command line."""


def environment(more: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return the environment of a run: this process's own, and more; None takes a variable away."""
    changed: dict[str, str | None] = {**dict.fromkeys(UNWANTED), **(more or {})}
    kept = {name: value for name, value in os.environ.items() if name not in changed}
    return kept | {name: value for name, value in changed.items() if value is not None}


def present_in(arguments: Sequence[str]) -> AbstractContextManager[object]:
    """Return a block in which the instant that ``gate check`` states is the present.

    What a policy says of fixed data is tested at an instant of these data, on which nothing could
    ship at the time of the test.
    """
    if "check" not in arguments[:1]:
        return nullcontext()
    words = [part for word in arguments for part in word.split("=", 1)]
    try:
        present = parse_instant(words[words.index("--at") + 1])
    except (ValueError, IndexError):
        return nullcontext()
    return patch("gate.cli.check.now", lambda: present)


class Hurried:
    """A clock on which a pause before another try has passed as soon as it begins.

    A server that refuses every try costs up to 20 seconds of pauses in which nothing happens.
    """

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds


@contextmanager
def hurried() -> Iterator[None]:
    """Let whatever asks a server again do so at once, in the same time by its own clock."""
    clock = Hurried()
    hurrying = partial(Clock, monotonic=clock.monotonic, sleep=clock.sleep)
    with (
        patch("gate.hosts.rest.Clock", hurrying),
        patch("gate.backends.prometheus.client.Clock", hurrying),
    ):
        yield


def gate(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: str = "",
    at_is_now: bool = True,
) -> Result:
    """Run the command with streams, a folder and an environment of its own.

    Args:
        arguments: of the command line.
        cwd: the folder that it runs in; None: this process's own.
        env: variables that it has beside this process's; None as a value takes one away.
        stdin: what it can read there.
        at_is_now: the instant that ``gate check`` states is taken for the present (`present_in`).

    Raises:
        KeyboardInterrupt: whoever runs the tests has interrupted them.
    """
    # Files and not strings: the command changes the encoding of its streams and their descriptors.
    with (
        TemporaryFile("w+", encoding="utf-8") as given,
        TemporaryFile("w+", encoding="utf-8") as out,
        TemporaryFile("w+", encoding="utf-8") as err,
    ):
        given.write(stdin)
        given.seek(0)
        streams: dict[str, Any] = {"stdin": given, "stdout": out, "stderr": err}
        originals = {f"__{name}__": stream for name, stream in streams.items()}
        with (
            chdir(cwd or Path.cwd()),
            patch.dict(os.environ, environment(env), clear=True),
            patch.multiple(sys, **streams, **originals),
            hurried(),
            present_in(arguments) if at_is_now else nullcontext(),
        ):
            exit_code = main(list(arguments))
        if exit_code is ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        return Result(exit_code=exit_code, stdout=_text(out), stderr=_text(err))


def _text(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C ends, also where a shell has started the tests with ``&``.

    Such a shell lets what it starts ignore SIGINT, and a process that ignores a signal hands this
    down to its children: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
