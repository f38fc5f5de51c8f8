"""``gate cohorts`` as it is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installed import AT, Run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by", "model"), "gate.yaml: the backend static cannot tell events apart by labels"),
        ((), "Missing option '--by'"),
        (("--by", "model", "--within", "model"), "--within needs another label than --by"),
        (("--by", ""), "--by and --within need a name"),
        (("--by", "model", "--last", "49m"), "--last is shorter than 50m"),
        (("--by", "model", "--top", "0"), "0 is not in the range x>=1"),
        (("--by", "model", "--slo", "availabilty"), "did you mean 'availability'?"),
    ],
)
def test_what_cannot_be_told_apart_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("cohorts", "gate.yaml", "--at", AT, *options)

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
