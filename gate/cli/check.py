"""``gate check``."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import click

from gate.budget.forecast import Impact
from gate.check.options import Options, is_other_moment
from gate.check.run import run_check
from gate.cli.ci_environment import CiEnvironment, context_of
from gate.cli.claims import parse_impact, requested_override
from gate.cli.keys import signing_key
from gate.cli.parameters import (
    DURATION,
    MeasurementOptions,
    Parsed,
    ci_option,
    group,
    identity_options,
    measurement_options,
    option,
    pair_of,
)
from gate.cli.session import (
    append,
    load_all,
    now,
    progress,
)
from gate.cli.status_command import StatusCommand, publisher_of
from gate.cli.streams import write_stderr
from gate.dataclass import dataclass
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.parsing.values import parse_instant
from gate.policy.override import Override
from gate.reporters import REPORTERS, render

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
        "--met",
        "satisfied",
        formerly="--satisfied",
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
    option(
        "--override-approved-by",
        "approved_by",
        formerly="--approved-by",
        metavar="WHO",
        help="Who approved the override; not the author.",
    ),
    option(
        "--override-until",
        "until",
        formerly="--until",
        type=Parsed("time", parse_instant),
        help="When the override ends, RFC 3339.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOptions:
    """What becomes of the decision."""

    observe: bool
    fail_on: str | None
    comment: bool
    status: bool
    status_name: str | None
    gate_key: str | None
    record: str | None
    wait: timedelta | None


_OUTCOME: Final = (
    option(
        "--dry-run",
        "observe",
        formerly="--observe",
        is_flag=True,
        help="Report the verdict, but always exit 0.",
    ),
    option("--fail-on", type=click.Choice(["warn"]), help="Exit 11 on a warning instead of 0."),
    option("--comment", is_flag=True, help="Keep one comment on the pull request up to date."),
    option("--status", is_flag=True, help="Set the status of the commit to the verdict."),
    *identity_options(),
    option("--record", metavar="FILE", help="Append the decision to this log (JSON Lines)."),
    option("--wait", type=DURATION, help="Ask again until allowed, for so long at most."),
)


@click.command(cls=StatusCommand)
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

    What was allowed at another instant (--at) is undecided now, unless --dry-run only looks at it.

    Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured),
    10 block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted.
    """
    if measurement.at is not None and outcome.wait is not None:
        raise click.UsageError("--wait does not go with --at: the past does not change")
    publisher = publisher_of(click.get_current_context())
    place = _place(change) if publisher is None else publisher.place
    place = replace(place, log=outcome.record)
    files = load_all(measurement.policies, place.policies(change.policy_ref))
    if publisher is not None:
        write_stderr(publisher.start(file.policy.service for file in files))
    options = Options(
        at=measurement.instant(),
        change=change.change,
        change_from="--change",
        facts=place.about(files).facts,
        approve=place.approve,
        context=place.context,
        satisfied=dict(change.satisfied),
        impact=change.impact,
        override=override,
        labelled=place.labelled,
        authors=place.authors,
        approver=place.approver,
        observe=outcome.observe,
        stated=is_other_moment(measurement.at, now(), files),
        fail_on_warn=outcome.fail_on == "warn",
        timeout=measurement.timeout,
        key=signing_key(os.environ),
    )

    def decide(instant: datetime) -> Decision:
        with progress(files):
            return run_check(files, replace(options, at=instant))

    decision = until_allowed(decide, options.at, outcome.wait)
    measurement.write_report(lambda name, style: render(name, decision, style))
    _tell(decision, place, outcome)
    if publisher is not None:
        write_stderr(publisher.decided(decision))
    return decision.exit_code


def _place(change: ChangeOptions) -> CiEnvironment:
    context = context_of(change.ci, base=change.base, environment=change.environment)
    return CiEnvironment(context, os.environ)


def _tell(decision: Decision, place: CiEnvironment, outcome: OutcomeOptions) -> None:
    """Record the decision and keep the comment, as far as that is wanted."""
    if outcome.record is not None:
        append(outcome.record, decision)
    if not outcome.comment:
        return
    from gate.cli.publishing import identity_of, keep_comment  # noqa: PLC0415 - where it is kept only

    paths = [decided.source.path for decided in decision.policies]
    identity = identity_of(paths, place, key=outcome.gate_key, status_name=outcome.status_name)
    keep_comment(decision, place, identity)
