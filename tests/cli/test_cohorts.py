"""``gate cohorts`` as it is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gate.cli.main import main
from tests.cli.installed import AT
from tests.command import Run


def test_a_static_backend_cannot_distinguish_events(
    gate: Run, write_policy: Callable[..., Path]
) -> None:
    write_policy()

    done = gate("cohorts", "gate.yaml", "--at", AT, "--by", "model")

    assert done.exit_code == 2
    assert done.stderr == ("gate: gate.yaml: the backend static cannot separate events by labels\n")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Missing option '--by'"),
        (
            ("--by", "model", "--stratify-by", "model"),
            "--stratify-by must name another label than --by",
        ),
        (("--by", ""), "--by and --stratify-by need the name of a label"),
        (("--by", "model", "--last", "49m"), "--last is shorter than 50m"),
        (("--by", "model", "--top", "0"), "0 is not in the range x>=1"),
        (("--by", "model", "--slo", "availabilty"), "did you mean 'availability'?"),
    ],
)
def test_what_cannot_be_distinguished_is_a_usage_error(
    write_policy: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    path = write_policy()

    code = main(["cohorts", str(path), "--at", AT, *options])

    assert code == 2
    assert message in capsys.readouterr().err
