"""The options of ``gate check``: the change, an override, and the outcome."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import click

from gate.budget.impact import Impact
from gate.cli.command import FILE, Heading, option
from gate.cli.job_options import (
    PublishingOptions,
    ci_option,
    environment_option,
    met_option,
    publishing_options,
)
from gate.cli.option_values import DATE, DURATION, Parsed, SingleValue, pair_of
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.parsing.numbers import SHARE
from gate.policy.override import Override
from gate.slo.quantities import parse_duration

_IMPACT: Final[dict[str, Callable[[str], Fraction | timedelta]]] = {
    "canary": SHARE.parse,
    "failures": SHARE.parse,
    "detect": parse_duration,
}


def parse_impact(text: str) -> Impact:
    """Read ``canary=10%,failures=100%,detect=5m``; these are the defaults, but for canary=100%.

    Raises:
        ValueError: an unknown, repeated or unreadable part.
    """
    given: dict[str, Any] = {}
    for part in text.split(","):
        name, value = pair_of(part.strip(), "NAME=VALUE, such as canary=10%")
        if name not in _IMPACT:
            raise ValueError(f"{name!r} is not a part of an impact{nearest(name, _IMPACT)}")
        if name in given:
            raise ValueError(f"{name} is given twice")
        given[name] = _IMPACT[name](value)
    return Impact(**given)


def requested_override(
    override: str | None, approved_by: str | None, until: datetime | None
) -> Override | None:
    """Return the override that three options together request; None if none of them is given.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOptions:
    """The options about the change and the run."""

    change: str | None
    satisfied: tuple[tuple[str, str], ...]
    impact: Impact | None
    trigger: str | None
    base: str | None
    policy_ref: str
    ci: str
    environment: str | None


CHANGE: Final = (
    option(
        "--change",
        metavar="CLASS",
        heading=Heading.CHANGE,
        help="Class of the change, such as canary. Default: as the policy recognises it.",
    ),
    met_option("A requirement that is met, with a link or a note: shadow=URL. Can be repeated."),
    option(
        "--impact",
        type=Parsed("impact", parse_impact),
        heading=Heading.CHANGE,
        help="Expected cost of the change, counted as spent: its share of the traffic, its share of"
        " failures, and the time to detect them, as in canary=10%,failures=100%,detect=5m.",
    ),
    option(
        "--trigger",
        type=FILE,
        heading=Heading.CHANGE,
        help="Write the cost of the impact and the most budget that the canary may use to this"
        " file, in JSON, for gate watch --trigger. Needs --impact.",
    ),
    option(
        "--base",
        metavar="REF",
        heading=Heading.CHANGE,
        help="Commit, branch or tag that the change is compared with to recognise its class."
        " Default: as the CI system says, or live in the policy.",
    ),
    option(
        "--policy-ref",
        metavar="REF",
        default="auto",
        heading=Heading.CHANGE,
        help="Read each policy from this branch, tag or commit; none reads the checkout."
        " Default: in a CI system the branch that the change goes into, else the default branch.",
    ),
    ci_option(),
    environment_option("Environment that the change would ship to, such as production."),
)
OVERRIDE: Final = (
    option(
        "--override",
        metavar="REASON",
        heading=Heading.OVERRIDE,
        help="Ship although the policy stops the change, for this reason, which is recorded.",
    ),
    option(
        "--override-approved-by",
        "approved_by",
        formerly="--approved-by",
        metavar="WHO",
        heading=Heading.OVERRIDE,
        help="Login of the person who approved the override; not the author.",
    ),
    option(
        "--override-until",
        "until",
        formerly="--until",
        type=DATE,
        heading=Heading.OVERRIDE,
        help="When the override ends, an RFC 3339 time such as 2026-11-20T18:00:00Z.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOptions(PublishingOptions):
    """The options about the outputs of the decision, and the exit code."""

    observe: bool
    fail_on: str | None
    record: str | None
    wait: timedelta | None


OUTCOME: Final = (
    option(
        "--dry-run",
        "observe",
        formerly="--observe",
        is_flag=True,
        heading=Heading.OUTPUT,
        help="Report the verdict, but always exit 0.",
    ),
    option(
        "--fail-on",
        type=SingleValue("warn"),
        heading=Heading.OUTPUT,
        help="Exit with 11 instead of 0 on a warning.",
    ),
    *publishing_options(),
    option(
        "--record",
        type=FILE,
        heading=Heading.PUBLISHING,
        help="Append the decision to this log, in JSON Lines.",
    ),
    option(
        "--wait",
        type=DURATION,
        heading=Heading.MEASUREMENT,
        help="Measure again until the change is allowed, for at most this duration, such as 30m.",
    ),
)
