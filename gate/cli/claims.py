"""What the user of ``gate check`` claims: the impact of a change, and an override."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import click

from gate.budget.forecast import Impact
from gate.cli.parameters import pair_of
from gate.errors import nearest
from gate.parsing.values import SHARE
from gate.policy.override import Override
from gate.slo.quantities import parse_duration

_IMPACT: Final[dict[str, Callable[[str], Fraction | timedelta]]] = {
    "canary": SHARE.parse,
    "failures": SHARE.parse,
    "detect": parse_duration,
}


def parse_impact(text: str) -> Impact:
    """Read ``canary=10%,failures=100%,detect=5m``; what is left out is all, all and 5m.

    Raises:
        ValueError: a part that is unknown, doubled or unreadable.
    """
    given: dict[str, Any] = {}
    for part in text.split(","):
        name, value = pair_of(part.strip())
        if name not in _IMPACT:
            raise ValueError(f"{name!r} is no part of an impact{nearest(name, _IMPACT)}")
        if name in given:
            raise ValueError(f"{name} stands twice")
        given[name] = _IMPACT[name](value)
    return Impact(**given)


def requested_override(
    override: str | None, approved_by: str | None, until: datetime | None
) -> Override | None:
    """Return the override that three options together ask for; None where none of them is given.

    Raises:
        UsageError: some are given and some are not.
    """
    given = {
        "--override": override,
        "--override-approved-by": approved_by,
        "--override-until": until,
    }
    missing = [name for name, value in given.items() if value is None]
    if override is None or approved_by is None or until is None:
        if len(missing) < len(given):
            raise click.UsageError(f"an override also needs {' and '.join(missing)}")
        return None
    return Override(reason=override, approved_by=approved_by, until=until)
