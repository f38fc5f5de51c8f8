"""Every exit code, reached through the installed command."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installed import AT, POLICY, command
from tests.command import Run, environment, heeding_interrupts

WritePolicy = Callable[..., Path]


def test_a_full_budget_allows_with_0(gate: Run, write_policy: WritePolicy) -> None:
    done = gate("check", str(write_policy(bad=100)), "--change", "model-update", "--at", AT)

    assert done.exit_code == 0
    assert "ALLOW" in done.stdout


def test_an_overspent_budget_blocks_with_10(gate: Run, write_policy: WritePolicy) -> None:
    done = gate("check", str(write_policy(bad=1500)), "--change", "canary", "--at", AT)

    assert done.exit_code == 10
    assert "overspent by 50.0%" in done.stdout


def test_the_worst_of_several_policies_is_the_exit_code(gate: Run, tmp_path: Path) -> None:
    paths = []
    for name, bad in (("good", 0), ("spent", 1000)):
        (tmp_path / f"{name}-counts.yaml").write_text(
            f"counts: {{availability: {{total: 1000000, bad: {bad}}}}}"
        )
        path = tmp_path / f"{name}.yaml"
        path.write_text(POLICY.replace("counts.yaml", f"{name}-counts.yaml"))
        paths.append(str(path))

    assert gate("check", *paths, "--change", "canary", "--at", AT).exit_code == 10
    assert gate("check", paths[0], "--change", "canary", "--at", AT).exit_code == 0


def test_what_was_not_measured_is_undecided_with_3(gate: Run, write_policy: WritePolicy) -> None:
    path = write_policy()
    (path.parent / "counts.yaml").write_text("counts: {other: {total: 1, bad: 0}}")

    done = gate("check", str(path), "--change", "rollback", "--at", AT, "--format", "json")

    assert done.exit_code == 3
    slo = json.loads(done.stdout)["policies"][0]["slos"][0]
    assert (slo["status"], slo["remaining"], slo["total"]) == ("no_data", None, None)


def test_zero_traffic_is_undecided_not_a_full_budget(gate: Run, write_policy: WritePolicy) -> None:
    done = gate("check", str(write_policy(bad=0, total=0)), "--at", AT, "--format", "json")

    assert done.exit_code == 3
    assert json.loads(done.stdout)["policies"][0]["slos"][0]["status"] == "no_traffic"


def test_a_policy_can_let_an_unmeasured_budget_pass_and_the_report_says_so(
    gate: Run, write_policy: WritePolicy
) -> None:
    path = write_policy(bad=0, total=0, text=POLICY + "on: {no_traffic: allow}\n")

    done = gate("check", str(path), "--at", AT)

    assert done.exit_code == 0
    assert "nothing was measured" in done.stdout.lower()


def test_a_warning_is_0_and_11_when_asked(gate: Run, write_policy: WritePolicy) -> None:
    arguments = ("check", str(write_policy(bad=600)), "--change", "config-change", "--at", AT)

    assert gate(*arguments).exit_code == 0
    assert gate(*arguments, "--fail-on", "warn").exit_code == 11


def test_observe_tells_the_truth_and_exits_0(gate: Run, write_policy: WritePolicy) -> None:
    arguments = ("check", str(write_policy(bad=1500)), "--change", "canary", "--at", AT)

    done = gate(*arguments, "--dry-run", "--format", "json")

    assert done.exit_code == 0
    decision = json.loads(done.stdout)
    assert (decision["verdict"], decision["exit_code"], decision["observe"]) == ("block", 0, True)


def test_a_requirement_blocks_until_it_is_satisfied(gate: Run, write_policy: WritePolicy) -> None:
    arguments = ("check", str(write_policy(bad=1500)), "--change", "security-patch", "--at", AT)

    assert gate(*arguments).exit_code == 10
    done = gate(*arguments, "--met", "shadow=https://ci.example/42", "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["policies"][0]["satisfied"] == {
        "shadow": "https://ci.example/42"
    }


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("verify",),
        ("chek", "gate.yaml"),
        ("check", "missing.yaml"),
        ("check", "gate.yaml", "--change", "canari"),
        ("check", "gate.yaml", "--at", "yesterday"),
        ("check", "gate.yaml", "--at", "2026-11-01T00:00:00"),
        ("check", "gate.yaml", "--at", "2999-01-01T00:00:00Z"),
        ("check", "gate.yaml", "--timeout", "soon"),
        ("check", "gate.yaml", "--met", "shadow"),
        ("check", "gate.yaml", "--met", "shadwo=done"),
        ("check", "gate.yaml", "--impact", "canary=10%,canary=20%"),
        ("check", "gate.yaml", "--impact", "blast=10%"),
        ("check", "gate.yaml", "--impact", "canary=110%"),
        ("check", "gate.yaml", "--write", "pdf=x.pdf"),
        ("check", "gate.yaml", "--format", "pdf"),
        ("schema", "polcy"),
    ],
)
def test_a_wrong_command_line_is_2(
    gate: Run, write_policy: WritePolicy, arguments: tuple[str, ...]
) -> None:
    write_policy()

    done = gate(*arguments)

    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_mistakes_in_policies_are_2_with_every_place(gate: Run, tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(POLICY.replace("objective", "objectve"))

    done = gate("check", "a.yaml", "b.yaml")

    assert done.exit_code == 2
    assert "a.yaml:6:26: error: unknown key 'objectve'; did you mean 'objective'?" in done.stderr
    assert "b.yaml:6:26" in done.stderr


def test_a_fault_of_the_program_is_1_and_no_verdict(
    write_policy: WritePolicy, tmp_path: Path
) -> None:
    sabotage = tmp_path / "sabotage"
    sabotage.mkdir()
    (sabotage / "sitecustomize.py").write_text(
        "import gate.check.run\n"
        "def broken(*args, **kwargs): raise ZeroDivisionError('planted')\n"
        "gate.check.run.run_check = broken\n"
    )

    done = subprocess.run(
        command("check", str(write_policy()), "--at", AT),
        env=environment({"PYTHONPATH": str(sabotage)}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert "ZeroDivisionError: planted" in done.stderr
    assert "this is not a verdict" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_while_the_backend_is_slow_is_130_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        port = silent.getsockname()[1]
        text = POLICY.replace(
            "{type: static, path: counts.yaml}",
            f'{{type: prometheus, url: "http://127.0.0.1:{port}"}}',
        ).replace("window: 30d", "window: 30d, sli: {bad: b_total, total: t_total}")
        (tmp_path / "gate.yaml").write_text(text)
        with (
            heeding_interrupts(),
            subprocess.Popen(
                command("check", "gate.yaml"),
                cwd=tmp_path,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize(("bad", "code"), [(100, 0), (1500, 10)])
def test_a_pipe_that_nobody_reads_leaves_the_verdict(
    write_policy: WritePolicy, bad: int, code: int
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command("check", str(write_policy(bad=bad)), "--change", "canary"),
            env=environment(),
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)

    assert done.returncode == code
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_the_verdict_and_is_reported(write_policy: WritePolicy) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("check", str(write_policy(bad=1500)), "--change", "canary", "--at", AT),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 10
    assert "could not be written: No space left on device" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_stderr_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("check", "missing.yaml"),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )

    assert done.returncode == 2


def test_a_copy_that_cannot_be_written_is_a_warning(gate: Run, write_policy: WritePolicy) -> None:
    path = str(write_policy(bad=1500))

    done = gate("check", path, "--at", AT, "--write", "json=no/such/folder.json")

    assert done.exit_code == 10
    assert "warning: no/such/folder.json could not be written" in done.stderr
    assert "BLOCK" in done.stdout


def test_status_is_0_whatever_the_budget(gate: Run, write_policy: WritePolicy) -> None:
    done = gate("status", str(write_policy(bad=1500)), "--at", AT)

    assert done.exit_code == 0
    assert "overspent by 50.0%" in done.stdout
    assert "BLOCK" not in done.stdout
