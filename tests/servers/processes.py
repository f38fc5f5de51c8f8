"""Start a program, wait until it is ready, and end it by its own process id."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
import requests

PATIENCE = 30.0
"""Seconds that a server may take to become ready; it takes 0.2 on an idle machine."""


def binary(name: str) -> str:
    """Return the path of a program; skip the test where it is missing."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return shutil.which(name, path=places) or missing(name)


def missing(
    what: str,
    remedy: str = "tests/install-servers.sh installs it on Debian and Ubuntu",
    required: str = "GATE_REQUIRE_SERVERS",
) -> NoReturn:
    """Skip the test, since it needs something that is not installed.

    Args:
        what: the name of the program.
        remedy: what installs it.
        required: the variable of the environment that says 1 where the test must fail instead.
    """
    reason = f"{what} is not installed; {remedy}"
    if os.environ.get(required) == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str],
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Iterator[int]:
    """Run a server while the block lasts; give its process id.

    Args:
        command: the program and its arguments.
        ready: a URL that answers with a status below 400 once the server is ready.
        log: a file for what it says.
        environment: its environment; None: this process's own.
        patience: seconds that it may take to become ready.
    """
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        ) as process,
    ):
        try:
            _wait(process, ready, log, patience)
            yield process.pid
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(requests.RequestException):
            if requests.get(ready, timeout=2).status_code < 400:
                return
        time.sleep(0.02)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} did not become ready:\n{said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
