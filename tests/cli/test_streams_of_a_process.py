"""The command's use of the streams of its process, which most tests replace."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gate.cli.streams import open_closed, write, write_stderr


def test_a_process_without_streams_gets_some_that_go_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, name, None)

    open_closed()

    with sys.stdout, sys.stderr:
        assert (sys.stdout.name, sys.stderr.name) == (os.devnull, os.devnull)


@pytest.mark.parametrize(
    "writing", [partial(write, "a report\n"), partial(write_stderr, "a note")], ids=["out", "err"]
)
def test_a_reader_that_has_gone_is_not_an_error_and_the_rest_goes_nowhere(
    writing: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as unread:
        monkeypatch.setattr("sys.stdout", unread)
        monkeypatch.setattr("sys.stderr", unread)
        writing()

        unread.write("more")
        unread.flush()


def test_a_report_that_cannot_be_written_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)

        write("a report\n")

    assert "the report could not be written: No space left on device" in capsys.readouterr().err
