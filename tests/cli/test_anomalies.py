"""``gate anomalies`` as it is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installed import AT
from tests.command import Run


def test_a_static_backend_keeps_no_history(gate: Run, write_policy: Callable[..., Path]) -> None:
    write_policy()

    done = gate("anomalies", "gate.yaml", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr == "gate: gate.yaml: the backend static keeps no history to look at\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--last", "1h", "--step", "2h"), "--step must not be longer than --last"),
        (
            ("--last", "7d", "--baseline", "7d"),
            "--baseline must be shorter than --last",
        ),
    ],
)
def test_what_cannot_be_looked_for_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("anomalies", "gate.yaml", "--at", AT, *options)

    assert done.exit_code == 2
    assert message in done.stderr
