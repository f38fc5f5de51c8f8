"""Where words go, and what happens to the exit code where they cannot go there: nothing."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gate.cli.main import COMMANDS, PROGRAM, main
from gate.errors import ExitCode
from tests.cli.installed import AT, POLICY, command
from tests.command import Run, environment

WritePolicy = Callable[..., Path]

FULL = Path("/dev/full")
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX descriptors")
full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


class Slow(BaseHTTPRequestHandler):
    """Keeps everybody waiting and then has no answer."""

    def do_POST(self) -> None:
        time.sleep(2.2)
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr is what is looked at."""


@contextmanager
def slow_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_a_slow_backend_is_reported_on_stderr_and_changes_nothing_else(
    gate: Run, tmp_path: Path
) -> None:
    with slow_server() as url:
        backend = f'{{type: prometheus, url: "{url}", retries: 0}}'
        text = POLICY.replace("{type: static, path: counts.yaml}", backend)
        (tmp_path / "gate.yaml").write_text(
            text.replace("window: 30d", "window: 30d, sli: {bad: b_total, total: t_total}")
        )
        done = gate("check", "gate.yaml", "--at", AT, "--format", "json")

    assert done.stderr.splitlines()[0] == "gate: measuring chat (2 s)"
    assert done.exit_code == ExitCode.UNDECIDED
    assert json.loads(done.stdout)["verdict"] == "undecided"


def test_a_quick_backend_is_not_worth_a_word(gate: Run, write_policy: WritePolicy) -> None:
    assert gate("check", str(write_policy()), "--at", AT).stderr == ""


def test_a_program_may_take_the_report_in_memory(write_policy: WritePolicy) -> None:
    with redirect_stdout(io.StringIO()) as taken:
        code = main(["check", str(write_policy(bad=1500)), "--at", AT])

    assert code is ExitCode.BLOCK
    assert "BLOCK" in taken.getvalue()
    assert "\x1b[" not in taken.getvalue()


@pytest.mark.variants(2)
@posix
@pytest.mark.parametrize(("bad", "code"), [(100, 0), (1500, 10)])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_never_open_leaves_the_verdict(
    write_policy: WritePolicy, closed: str, bad: int, code: int
) -> None:
    path = write_policy(bad=bad, text=POLICY.replace(", rollback]\n", "]\n"))  # draws a warning

    done = subprocess.run(
        ["bash", "-c", f'"$@" {closed}', "bash", *command("check", str(path))],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.variants(2)
@full
@pytest.mark.parametrize(
    "arguments", [(), ("chek",), ("check",), ("check", "--at", "x", "y"), ("check", "missing.yaml")]
)
def test_a_usage_error_that_nobody_can_read_is_still_2(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with FULL.open("w") as nowhere:
        done = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=nowhere,
            check=False,
        )

    assert done.returncode == 2


@posix
@pytest.mark.parametrize("arguments", [("--help",), ("check", "--help"), ("--version",)])
def test_help_that_nobody_reads_is_not_a_verdict_and_leaves_no_trace(
    arguments: tuple[str, ...],
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command(*arguments),
            env=environment(),
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (ExitCode.INTERNAL, "")


def test_a_shell_can_complete_the_commands_and_that_is_not_a_verdict(gate: Run) -> None:
    asked = {"_GATE_COMPLETE": "bash_complete", "COMP_WORDS": "gate ", "COMP_CWORD": "1"}

    done = gate("check", "gate.yaml", env=asked)

    assert [line.removeprefix("plain,") for line in done.stdout.splitlines()] == [
        *COMMANDS,
        *PROGRAM,
    ]
    assert (done.exit_code, done.stderr) == (ExitCode.INTERNAL, "")


def test_python_can_run_the_package(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gate", "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: gate ")


def test_mistakes_begin_with_their_file_so_that_editors_can_jump_there(
    gate: Run, write_policy: WritePolicy
) -> None:
    write_policy(text=POLICY.replace("99.9%", "100%"))

    done = gate("check", "gate.yaml", "missing.yaml")

    assert done.exit_code == 2
    assert [line.split(" error: ")[0] for line in done.stderr.splitlines()] == [
        "gate.yaml:6:37:",
        "missing.yaml:1:1:",
    ]


def test_other_words_on_stderr_begin_with_the_programs_name(
    gate: Run, write_policy: WritePolicy
) -> None:
    done = gate("check", str(write_policy()), "--change", "canari", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr.startswith("gate: ")
    assert "no change class 'canari'; did you mean 'canary'?" in done.stderr


def test_validate_goes_on_after_a_file_that_cannot_be_read(
    gate: Run, write_policy: WritePolicy
) -> None:
    write_policy()

    done = gate("validate", "missing.yaml", "gate.yaml")

    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        "missing.yaml:1:1: error: the file cannot be read: No such file or directory; gate init"
        " missing.yaml writes a first policy",
        "missing.yaml: 1 error",
        "gate.yaml: sound",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--at", "0001-01-01T00:00:00Z"), "is not between 1970 and 9998"),
        (("--at", "0001-01-01T00:00:00+05:00"), "is not between 1970 and 9998"),
        (("--timeout", "999999999d"), "is longer than 36525d"),
        (("--impact", "detect=999999999d"), "is longer than 36525d"),
    ],
)
def test_times_that_no_calendar_has_are_usage_errors(
    gate: Run, write_policy: WritePolicy, options: tuple[str, ...], message: str
) -> None:
    done = gate("check", str(write_policy()), *options)

    assert done.exit_code == 2
    assert message in done.stderr


def test_the_longest_window_at_the_earliest_instant_is_measured(
    gate: Run, write_policy: WritePolicy
) -> None:
    path = write_policy(text=POLICY.replace("30d", "36525d"))

    assert gate("check", str(path), "--at", "1970-01-01T00:00:00Z").exit_code == 0
