"""``gate report`` as it is called."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.installed import AT
from tests.command import Run


def test_a_backend_without_a_history_is_undecided_and_the_report_says_so(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(bad=400)

    done = gate("report", "gate.yaml", "--at", AT, "-o", "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert (done.exit_code, done.stdout) == (3, "")
    size = len(page.encode())
    assert done.stderr == f"wrote report.html ({size / 1000:.0f} kB)\n"
    assert page.startswith('<!DOCTYPE html>\n<html lang="en"><head>')
    assert "<strong>60.0%</strong>" in page
    assert "no data, the backend keeps no history to look at." in page


def test_the_page_goes_to_stdout_where_no_file_is_named(
    gate: Run, write_policy: Callable[..., Path]
) -> None:
    write_policy()

    done = gate("report", "gate.yaml", "--at", AT)

    assert done.stdout.startswith("<!DOCTYPE html>")
    assert done.stdout.endswith("</html>\n")


def test_a_page_never_goes_to_a_terminal_but_to_a_file_that_is_named(
    gate: Run,
    write_policy: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_policy()
    terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("gate.cli.report.sys", terminal)

    done = gate("report", "gate.yaml", "--at", AT)

    page = tmp_path / "gate-report.html"
    assert done.stdout == ""
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert f"open it in a browser: {page.as_uri()}" in done.stderr


def test_one_run_writes_it_in_several_formats(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy()
    copies = ["--write", "json=report.json", "--write", "markdown=report.md"]

    done = gate(
        "report", "gate.yaml", "--at", AT, "-o", "report.html", *copies, "--change", "canary"
    )
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))

    assert done.exit_code == document["exit_code"] == 3
    assert document["decision"]["change_class"] == "canary"
    assert "ALLOW: canary of chat" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "canary of chat" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "pdf"), "'pdf' is not one of 'html', 'terminal', 'markdown', 'json'"),
        (("--change", "canari"), "gate.yaml has no change class 'canari'"),
        (("--last", "1h", "--step", "2h"), "--step must not be longer than --last"),
        (("--stratify-by", "model"), "--stratify-by needs --by"),
        (
            ("--by", "model", "--stratify-by", "model"),
            "--stratify-by must name another label than --by",
        ),
        (("--by", "model"), "gate.yaml: the backend static cannot separate events by labels"),
        (("--known-incidents", "none.yaml"), "known incidents none.yaml: no file matches"),
    ],
)
def test_what_cannot_be_reported_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("report", "gate.yaml", "--at", AT, *options)

    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("reports/r.html", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_a_file_that_cannot_be_written_is_a_warning_and_the_report_is_on_stdout(
    gate: Run, write_policy: Callable[..., Path], place: str, reason: str
) -> None:
    write_policy()

    done = gate("report", "gate.yaml", "--at", AT, "-o", place)

    assert done.exit_code == 3
    warning = f"gate: warning: {place} could not be written: {reason}; the report is on stdout\n"
    assert done.stderr == warning
    assert done.stdout.startswith("Error budgets of chat")
