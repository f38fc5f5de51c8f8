"""Where a report goes: ``--output`` in every command, its format by its name, and what is said."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from gate.cli.streams import write_output
from tests.cli.installed import AT, POLICY, command
from tests.cli.test_help import ALL
from tests.command import Run, environment

WritePolicy = Callable[..., Path]
SAID = re.compile(r"wrote (\S+) \((\d+ bytes|\d+ kB)\)\n")


def test_every_command_that_writes_to_stdout_has_the_option() -> None:
    without = {
        name for name, each in ALL.items() if not {"--output", "-o"} <= set(options_of(each))
    }

    assert without == {"attest", "presets", "help", "version"}


def options_of(command: click.Command) -> list[str]:
    return [opt for parameter in command.params for opt in parameter.opts]


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (("check", "--at", AT), "canary of chat"),
        (("status", "--at", AT), "chat"),
        (("validate",), "gate.yaml: sound"),
        (("schema", "policy"), '{\n  "$schema"'),
        (("presets", "list"), "vllm"),
        (("presets", "show", "vllm"), "vllm: vLLM"),
        (("presets", "file", "vllm"), "#"),
        (("completion", "bash"), "_gate_completion"),
    ],
)
def test_the_file_has_what_stdout_would_have(
    gate: Run, write_policy: WritePolicy, tmp_path: Path, words: tuple[str, ...], begins: str
) -> None:
    write_policy()
    more = ("--change", "canary") if words[0] == "check" else ()
    on_stdout = gate(*words, *more)

    done = gate(*words, *more, "--output", "made.txt")

    written = (tmp_path / "made.txt").read_text(encoding="utf-8")
    assert (done.exit_code, done.stdout) == (0, "")
    assert written == on_stdout.stdout
    assert begins in written
    said = SAID.search(done.stderr)
    assert said is not None
    size = len(written.encode())
    assert said[1] == "made.txt"
    assert said[2] == (f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB")


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("d.json", "json"),
        ("d.MD", "markdown"),
        ("d.xml", "junit"),
        ("d.sarif", "sarif"),
        ("d.env", "dotenv"),
        ("d.txt", "terminal"),
        ("d", "terminal"),
        ("d.json.txt", "terminal"),
    ],
)
def test_the_name_of_the_file_says_the_format(
    gate: Run, write_policy: WritePolicy, tmp_path: Path, name: str, format_: str
) -> None:
    write_policy()

    done = gate("check", "--change", "canary", "--at", AT, "-o", name, "--write", f"{format_}=copy")

    assert done.exit_code == 0
    assert (tmp_path / name).read_text() == (tmp_path / "copy").read_text() != ""


def test_a_stated_format_goes_before_the_name(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    write_policy()

    gate("check", "--at", AT, "-f", "json", "-o", "d.md")
    gate("check", "--at", AT, "-o", "e.md", "--format", "json")

    for name in ("d.md", "e.md"):
        assert json.loads((tmp_path / name).read_text())["evaluated_at"] == AT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "-o", "a.html"), "a.html would be in the format html, which this command does"),
        (("status", "-o", "a.xml"), "state --format with one of terminal, markdown, json"),
        (("check", "-o", "json"), "json is a format; write --format json, or -o report.json"),
        (("check", "-o", "github"), "github is a format; write --format github"),
        (
            ("status", "-o", "x.foo"),
            ".foo is not the suffix of a format; state --format, or end the name with",
        ),
        (("check", "-o", ""), "the name of a file is empty"),
        (("check", "--output", "json=a.json"), "write --write json=a.json"),
        (("check", "--write", "json"), "'json' is not of the form FORMAT=FILE, such as json=rep"),
        (("check", "--write", "jsn=a"), "'jsn' is not a format of this command; did you mean"),
        (("check", "--met", "shadow"), "'shadow' is not of the form NAME=EVIDENCE, such as shad"),
        (("check", "--impact", "canary"), "'canary' is not of the form NAME=VALUE, such as can"),
        (("check", "--at", "2999-01-01T00:00:00Z"), "is in the future; --at must not be later"),
        (("init", "a.yaml", "-o", "b.yaml"), "FILE and --output are the same"),
    ],
)
def test_a_value_of_the_wrong_form_is_reported_the_right_one(
    gate: Run, write_policy: WritePolicy, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    write_policy()
    before = sorted(tmp_path.iterdir())

    done = gate(*words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_whose_name_has_a_sign_of_equality_is_a_file(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    write_policy()

    assert gate("check", "--at", AT, "-o", "run=7.json").exit_code == 0
    assert json.loads((tmp_path / "run=7.json").read_text())["verdict"] == "allow"


@pytest.mark.parametrize("bad, code", [(100, 0), (1500, 10)])
def test_a_report_that_cannot_be_written_never_changes_the_exit_code(
    gate: Run, write_policy: WritePolicy, bad: int, code: int
) -> None:
    write_policy(bad=bad)

    done = gate("check", "--at", AT, "--change", "canary", "-o", "no/such.json", "--quiet")

    assert done.exit_code == code
    assert done.stderr == (
        "gate: warning: no/such.json could not be written: No such file or directory;"
        " the report is on stdout\n"
    )
    assert "canary of chat" in done.stdout


def test_what_was_requested_as_a_file_is_an_error_if_it_cannot_be_written(gate: Run) -> None:
    done = gate("schema", "policy", "-o", "no/such.json")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "gate: no/such.json could not be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (7, "7 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (137_400, "137 kB"),
        (1_260_000, "1.3 MB"),
    ],
)
def test_the_size_is_in_the_unit_that_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int, said: str
) -> None:
    path = tmp_path / "a"

    assert write_output(str(path), "é" * (size // 2) + "x" * (size % 2))
    assert capsys.readouterr().err == f"wrote {path} ({said})\n"


def test_quiet_leaves_out_notes_and_keeps_warnings(gate: Run, write_policy: WritePolicy) -> None:
    write_policy(text=POLICY.replace(", rollback]\n", "]\n"))
    words = ("check", "--at", AT, "--comment", "-o", "d.json")

    loud, quiet, before = gate(*words), gate(*words, "-q"), gate("-q", *words)

    assert "gate: no comment: there is no pull request\n" in loud.stderr
    assert "wrote d.json" in loud.stderr
    assert quiet.stderr == before.stderr
    assert [line.split(": ")[1] for line in quiet.stderr.splitlines()] == ["warning"]


@pytest.mark.parametrize(
    ("words", "variables", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, True),
        (("--color", "auto"), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_color_goes_before_the_variables(
    gate: Run,
    write_policy: WritePolicy,
    words: tuple[str, ...],
    variables: dict[str, str],
    coloured: bool,
) -> None:
    write_policy()

    for line in (("check", *words), (*words, "check")):
        done = gate(*line, "--at", AT, env=variables)
        assert ("\x1b[" in done.stdout) is coloured


def in_a_terminal(*words: str, cwd: Path) -> str:
    """Return what a command writes to a terminal, stdout and stderr together."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*words), cwd=cwd, env=environment(), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(60) == 3
    return written.decode()


def test_a_page_never_goes_to_a_terminal(write_policy: WritePolicy, tmp_path: Path) -> None:
    write_policy()

    shown = in_a_terminal("report", "--at", AT, cwd=tmp_path)

    page = tmp_path / "gate-report.html"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    size = f"{page.stat().st_size / 1000:.0f} kB"
    assert shown.splitlines() == [
        f"wrote gate-report.html ({size})",
        f"open it in a browser: {page.resolve().as_uri()}",
    ]


def test_another_format_of_the_report_does(write_policy: WritePolicy, tmp_path: Path) -> None:
    write_policy()

    shown = in_a_terminal("report", "--at", AT, "--format", "terminal", cwd=tmp_path)

    assert "Error budgets of chat" in shown
    assert not (tmp_path / "gate-report.html").exists()


@pytest.mark.parametrize("words", [("check", "--at", AT), ("schema", "policy")])
def test_a_dash_is_stdout_and_no_file_of_that_name(
    gate: Run, write_policy: WritePolicy, tmp_path: Path, words: tuple[str, ...]
) -> None:
    write_policy()
    dashed, plain = gate(*words, "-o", "-"), gate(*words)
    assert (dashed.exit_code, dashed.stdout, dashed.stderr) == (
        plain.exit_code,
        plain.stdout,
        plain.stderr,
    )
    assert dashed.stdout
    assert not (tmp_path / "-").exists()
