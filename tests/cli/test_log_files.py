"""Adding to a log: whole lines, by one run at a time, and never by a way round."""

import fcntl
import os
import sys
from pathlib import Path

import pytest

from gate.cli import log_files
from gate.cli.log_files import LARGEST_LOG, append_made


def test_what_is_added_is_made_from_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append_made(str(path), lambda content: b"%d\n" % len(content))
    append_made(str(path), lambda content: b"%d\n" % len(content))
    assert path.read_bytes() == b"0\n2\n"


def test_a_run_that_holds_the_file_for_too_long_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_files, "_PATIENCE", 0.05)
    path = tmp_path / "log"
    with path.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        append_made(str(path), lambda _: b"a line\n")
    assert path.read_bytes() == b""
    assert capsys.readouterr().err == (
        f"gate: warning: {path} could not be written: another run has locked it\n"
    )


def test_where_there_are_no_locks_a_line_is_added_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    append_made(str(tmp_path / "log"), lambda _: b"a line\n")
    assert (tmp_path / "log").read_bytes() == b"a line\n"


def test_a_line_that_is_cut_off_by_a_full_disk_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:3]))
    append_made(str(tmp_path / "log"), lambda _: b"a line\n")
    assert "its last line is cut off" in capsys.readouterr().err


def test_a_fault_of_the_disk_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_descriptor: int, _text: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    append_made(str(tmp_path / "log"), lambda _: b"a line\n")
    assert "No space left on device" in capsys.readouterr().err


def test_a_log_that_is_too_large_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(LARGEST_LOG + 1)
    append_made(str(path), lambda _: b"a line\n")
    assert path.stat().st_size == LARGEST_LOG + 1
    assert "it has more than 256 MiB" in capsys.readouterr().err
