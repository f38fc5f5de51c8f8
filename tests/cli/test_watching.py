"""Behaviour that only a process of ``gate watch`` shows: signals, a growing log, a live line."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.installed import command
from tests.cli.watched import BOTH
from tests.command import environment, heeding_interrupts


@contextmanager
def growing(log: Path, *, canary: float = 0.02) -> Iterator[None]:
    """Write requests of both versions to a log as they come, in a process of its own."""
    script = (
        "import json, random, sys, time\n"
        "from datetime import datetime, UTC\n"
        "draw, bad = random.Random(1), float(sys.argv[2])\n"
        "with open(sys.argv[1], 'a') as log:\n"
        "    while True:\n"
        "        for number in range(20):\n"
        "            track = 'canary' if number % 2 else 'stable'\n"
        "            failed = draw.random() < (bad if number % 2 else 0.02)\n"
        "            at = datetime.now(UTC).isoformat().replace('+00:00', 'Z')\n"
        "            row = {'ts': at, 'track': track, 'status': 500 if failed else 200}\n"
        "            log.write(json.dumps(row) + '\\n')\n"
        "        log.flush()\n"
        "        time.sleep(0.05)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(log), str(canary)])
    try:
        yield
    finally:
        writer.kill()
        writer.wait()


def started(folder: Path, *more: str, seconds: int = 60) -> "subprocess.Popen[str]":
    line = command("watch", *BOTH, "--for", f"{seconds}s", "--every", "1s", *more)
    with heeding_interrupts():
        return subprocess.Popen(
            line,
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def wait_for(path: Path, word: str) -> None:
    end = time.monotonic() + 30
    while not (path.exists() and word in path.read_text()):
        assert time.monotonic() < end, f"{word} never came"
        time.sleep(0.05)


@pytest.mark.variants(1)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 3), (signal.SIGINT, 130)])
def test_a_signal_ends_a_process_with_its_exit_code_and_the_state_in_its_file(
    write_logs: Callable[..., None], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write_logs()
    state = tmp_path / "watch.json"
    with growing(tmp_path / "log.jsonl"):
        process = started(tmp_path, "--state", "watch.json")
        wait_for(state, 'availability": [[0, ')
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert process.returncode == code, err
    assert ("CANNOT TELL" in out) == (code == 3)
    assert json.loads(state.read_text())["settled"]["availability"]
    if code == 3:
        assert "by a signal, before the time was up" in out


@pytest.mark.slow
def test_a_killed_process_loses_nothing(write_logs: Callable[..., None], tmp_path: Path) -> None:
    write_logs()
    state = tmp_path / "watch.json"
    with growing(tmp_path / "log.jsonl"):
        process = started(tmp_path, "--state", "watch.json", seconds=8)
        wait_for(state, 'availability": [[0, ')
        process.kill()
        process.communicate()
        kept = json.loads(state.read_text())["settled"]["availability"]
        again = started(tmp_path, "--state", "watch.json", "--resume", seconds=8)
        _, err = again.communicate(timeout=60)

    settled = json.loads(state.read_text())["settled"]["availability"]
    assert settled[: len(kept)] == kept
    assert [place for place, *_ in settled] == list(range(8)), err
    assert again.returncode in {0, 3}


@pytest.mark.slow
def test_a_worse_canary_is_found_while_the_log_grows(
    write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()
    with growing(tmp_path / "log.jsonl", canary=0.6):
        process = started(tmp_path)
        out, err = process.communicate(timeout=50)

    assert process.returncode == 10, err
    assert "ROLL BACK" in out
    assert "gate: watching track=canary beside track=stable until " in err
