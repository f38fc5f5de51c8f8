"""``gate check --trigger``: the file, what is said of it, and that it never decides."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.cli.decision_file import read_trigger_file
from gate.decision.seal import hmac_key
from tests.cli.installed import AT
from tests.command import Run

WritePolicy = Callable[..., Path]
IMPACT = ("--impact", "canary=10%,failures=50%,detect=10m")


def test_the_file_has_what_was_promised_and_stderr_says_it(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    """1e6 events in 30 d: a tenth for 600 s is 23.15 events, of 1,000; half of them fail."""
    path, file = write_policy(bad=400), tmp_path / "trigger.json"

    done = gate(
        "check", str(path), "--change", "canary", "--at", AT, *IMPACT, "--trigger", str(file)
    )

    assert done.exit_code == 0
    (policy,) = read_trigger_file(str(file), None).policies
    (promise,) = policy.slos
    assert float(promise.expected_cost or 0) == pytest.approx(0.011574, rel=1e-4)
    assert float(promise.largest_loss or 0) == pytest.approx(0.023148, rel=1e-4)
    assert policy.source.path == str(path)
    assert "Pre-mortem: availability of chat: expected cost 1.2% of the budget" in done.stderr
    assert "the canary may take 2.4% at most" in done.stderr


def test_the_key_of_the_run_signs_it(
    gate: Run, write_policy: WritePolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a secret that nobody can guess"
    file = tmp_path / "trigger.json"
    monkeypatch.setenv("GATE_SIGNING_KEY", secret)

    gate("check", str(write_policy()), "--at", AT, *IMPACT, "--trigger", str(file))

    assert read_trigger_file(str(file), hmac_key(secret.encode())).impact.detect.seconds == 600


def test_without_an_impact_there_is_nothing_to_promise(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    file = tmp_path / "trigger.json"

    done = gate("check", str(write_policy()), "--at", AT, "--trigger", str(file))

    assert done.exit_code == 2
    assert "add --impact canary=10%,failures=100%,detect=5m" in done.stderr
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_a_warning_and_decides_nothing(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "trigger.json"
    arguments = ("check", str(write_policy()), "--change", "canary", "--at", AT, *IMPACT)

    done = gate(*arguments, "--trigger", str(missing), "--format", "json")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["verdict"] == "allow"
    assert "trigger.json could not be written" in done.stderr
