"""``gate check``."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import click

from gate.budget.forecast import Impact
from gate.check.options import Options
from gate.check.run import run_check
from gate.cli.ci_environment import CiEnvironment, context_of, keep_comment, show_verdict
from gate.cli.parameters import (
    DURATION,
    MeasurementOptions,
    Parsed,
    ci_option,
    group,
    measurement_options,
    option,
    pair_of,
)
from gate.cli.session import (
    append,
    load_all,
    now,
    progress,
    signing_key,
)
from gate.cli.streams import write_stderr
from gate.decision.decision import Decision
from gate.errors import ExitCode, nearest
from gate.parsing.values import SHARE, parse_instant
from gate.policy.override import Override
from gate.reporters import REPORTERS, render
from gate.slo.quantities import parse_duration

_FIRST: Final = 15.0
"""Seconds: a budget does not change sooner than a scrape."""
_LONGEST: Final = 120.0
_GROWTH: Final = 1.5


def until_allowed(
    decide: Callable[[datetime], Decision], at: datetime, wait: timedelta | None
) -> Decision:
    """Return the first decision that lets the change ship, or the last one when time is up.

    Args:
        decide: measures and judges at an instant.
        at: the first instant.
        wait: how long to go on; None: one decision, whatever it is.
    """
    decision = decide(at)
    end = time.monotonic() + (wait.total_seconds() if wait else 0)
    pause = _FIRST
    while decision.exit_code is not ExitCode.ALLOW and (left := end - time.monotonic()) > 0:
        pause = min(pause, left)
        write_stderr(
            f"gate: {decision.verdict}; asking again in {pause:.0f} s, for {left:.0f} s more"
        )
        time.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
        decision = decide(now())
    return decision


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
    given = {"--override": override, "--approved-by": approved_by, "--until": until}
    missing = [name for name, value in given.items() if value is None]
    if override is None or approved_by is None or until is None:
        if len(missing) < len(given):
            raise click.UsageError(f"an override also needs {' and '.join(missing)}")
        return None
    return Override(reason=override, approved_by=approved_by, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOptions:
    """What is said of the change, and of where this runs."""

    change: str | None
    satisfied: tuple[tuple[str, str], ...]
    impact: Impact | None
    base: str | None
    policy_ref: str
    ci: str
    environment: str | None


_CHANGE: Final = (
    option("--change", metavar="CLASS", help="The class of the change; default: recognised."),
    option(
        "--satisfied",
        type=Parsed("name=evidence", pair_of),
        multiple=True,
        help="A requirement that has been met, with a link or note: shadow=URL. Can be repeated.",
    ),
    option(
        "--impact",
        type=Parsed("impact", parse_impact),
        help="Expected cost of the change, taken as spent: canary=10%,failures=100%,detect=5m.",
    ),
    option("--base", metavar="REF", help="What the change is compared with to recognise it."),
    option(
        "--policy-ref",
        metavar="REF",
        default="auto",
        help="Read each policy as this branch, tag or commit has it; none: the checkout. Default:"
        " in a CI system the branch that the change goes into, else the default branch.",
    ),
    ci_option(),
    option("--environment", metavar="NAME", help="Where the change would ship to."),
)
_OVERRIDE: Final = (
    option("--override", metavar="REASON", help="Ship although the policy says no; recorded."),
    option("--approved-by", metavar="WHO", help="Who approved the override; not the author."),
    option("--until", type=Parsed("time", parse_instant), help="When the override ends, RFC 3339."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOptions:
    """What becomes of the decision."""

    observe: bool
    fail_on: str | None
    comment: bool
    status: bool
    record: str | None
    wait: timedelta | None


_OUTCOME: Final = (
    option("--observe", is_flag=True, help="Tell the verdict but always exit 0."),
    option("--fail-on", type=click.Choice(["warn"]), help="Exit 11 on a warning instead of 0."),
    option("--comment", is_flag=True, help="Keep one comment on the pull request up to date."),
    option("--status", is_flag=True, help="Set the status of the commit to the verdict."),
    option("--record", metavar="FILE", help="Append the decision to this log (JSON Lines)."),
    option("--wait", type=DURATION, help="Ask again until allowed, for so long at most."),
)


@click.command()
@measurement_options(REPORTERS)
@group("change", ChangeOptions, _CHANGE)
@group("override", requested_override, _OVERRIDE)
@group("outcome", OutcomeOptions, _OUTCOME)
def check(
    *,
    measurement: MeasurementOptions,
    change: ChangeOptions,
    override: Override | None,
    outcome: OutcomeOptions,
) -> ExitCode:
    """Decide whether a change may ship now under each POLICY; the worst verdict is the exit code.

    Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured),
    10 block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted.
    """
    if measurement.at is not None and outcome.wait is not None:
        raise click.UsageError("--wait does not go with --at: the past does not change")
    context = context_of(change.ci, base=change.base, environment=change.environment)
    place = CiEnvironment(context, os.environ)
    files = load_all(measurement.policies, place.policies(change.policy_ref))
    options = Options(
        at=measurement.instant(),
        change=change.change,
        change_from="--change",
        facts=place.facts,
        approve=place.approve,
        context=place.context,
        satisfied=dict(change.satisfied),
        impact=change.impact,
        override=override,
        labelled=place.labelled,
        authors=place.authors,
        approver=place.approver,
        observe=outcome.observe,
        fail_on_warn=outcome.fail_on == "warn",
        timeout=measurement.timeout,
        key=signing_key(os.environ),
    )

    def decide(instant: datetime) -> Decision:
        with progress(files):
            return run_check(files, replace(options, at=instant))

    decision = until_allowed(decide, options.at, outcome.wait)
    measurement.write_report(lambda name, style: render(name, decision, style))
    if outcome.record is not None:
        append(outcome.record, decision)
    if outcome.comment:
        keep_comment(decision, place)
    if outcome.status:
        show_verdict(decision, place)
    return decision.exit_code
