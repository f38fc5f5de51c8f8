"""``gate check``."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import click

from gate.check.options import Options, is_other_moment
from gate.check.run import run_check
from gate.cli.check_options import (
    CHANGE,
    OUTCOME,
    OVERRIDE,
    ChangeOptions,
    OutcomeOptions,
    requested_override,
)
from gate.cli.ci_environment import CiEnvironment, context_of
from gate.cli.command import command, group
from gate.cli.keys import signing_key
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.cli.session import append, now, progress
from gate.cli.status_command import StatusCommand, publisher_of
from gate.cli.streams import write_file, write_note
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.policy.override import Override
from gate.reporters import REPORTERS, render

_FIRST: Final = 15.0
"""The first pause in seconds: a budget does not change before the next scrape."""
_LONGEST: Final = 120.0
_GROWTH: Final = 1.5
_EXAMPLE: Final = "--impact canary=10%,failures=100%,detect=5m"


def until_allowed(
    decide: Callable[[datetime], Decision], at: datetime, wait: timedelta | None
) -> Decision:
    """Return the first decision that lets the change ship, or the last one when time is up.

    Args:
        decide: returns the decision at an instant.
        at: the first instant.
        wait: the time limit; None: only one decision.
    """
    decision = decide(at)
    end = time.monotonic() + (wait.total_seconds() if wait else 0)
    pause = _FIRST
    while decision.exit_code is not ExitCode.ALLOW and (left := end - time.monotonic()) > 0:
        pause = min(pause, left)
        write_note(
            f"gate: {decision.verdict}; next attempt in {pause:.0f} s, giving up in {left:.0f} s"
        )
        time.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
        decision = decide(now())
    return decision


@command(
    cls=StatusCommand,
    example=(
        "gate check gate.yaml --change canary",
        "gate check --change model-update -o decision.json",
    ),
)
@measurement_options(REPORTERS)
@group("change", ChangeOptions, CHANGE)
@group("override", requested_override, OVERRIDE)
@group("outcome", OutcomeOptions, OUTCOME)
def check(
    *,
    measurement: MeasurementOptions,
    change: ChangeOptions,
    override: Override | None,
    outcome: OutcomeOptions,
) -> ExitCode:
    """Decide by each POLICY whether a change may ship now; the worst verdict sets the exit code.

    With --at a change that was allowed at another time is undecided now, except with --dry-run.

    Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured), 10
    block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted.
    """
    _see_that_they_fit(measurement, change, outcome)
    publisher = publisher_of(click.get_current_context())
    place = replace(publisher.place if publisher else _place(change), log=outcome.record)
    files = measurement.load(place.policies(change.policy_ref))
    if publisher is not None:
        write_note(publisher.start(file.policy.service for file in files))
    options = Options(
        at=measurement.instant(),
        change=change.change,
        change_from="--change",
        facts=place.about(files).facts,
        approve=place.approve,
        context=place.context,
        satisfied=dict(change.satisfied),
        evidence=place.about(files).evaluations,
        shadows=place.shadows,
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
    measurement.report.write(lambda name, style: render(name, decision, style))
    _publish(decision, place, change, outcome)
    if publisher is not None:
        write_note(publisher.decided(decision))
    return decision.exit_code


def _see_that_they_fit(
    measurement: MeasurementOptions, change: ChangeOptions, outcome: OutcomeOptions
) -> None:
    if measurement.at is not None and outcome.wait is not None:
        raise click.UsageError("--wait and --at cannot be combined: the past does not change")
    if change.trigger is not None and change.impact is None:
        raise click.UsageError(f"--trigger needs an impact to write down: add {_EXAMPLE}")


def _place(change: ChangeOptions) -> CiEnvironment:
    context = context_of(change.ci, base=change.base, environment=change.environment)
    return CiEnvironment(context, os.environ)


def _write_trigger(decision: Decision, change: ChangeOptions) -> None:
    """Write the promised cost of the change, and say so; a failure is a warning."""
    if change.trigger is None or change.impact is None:
        return
    from gate.decision.trigger import trigger_document, trigger_of  # noqa: PLC0415 - where wanted
    from gate.reporters.pace import promises  # noqa: PLC0415 - as above

    trigger = trigger_of(decision, change.impact)
    text = json.dumps(trigger_document(trigger, decision.key), indent=2, allow_nan=False)
    write_file(change.trigger, f"{text}\n")
    write_note("\n".join(promises(trigger)))


def _publish(
    decision: Decision, place: CiEnvironment, change: ChangeOptions, outcome: OutcomeOptions
) -> None:
    """Write the trigger, record the decision and update the comment, if requested."""
    _write_trigger(decision, change)
    if outcome.record is not None:
        append(outcome.record, decision)
    if not outcome.comment:
        return
    from gate.cli.publishing import identity_of, keep_comment  # noqa: PLC0415 - where it is kept only

    paths = [decided.source.path for decided in decision.policies]
    identity = identity_of(paths, place, key=outcome.gate_key, status_name=outcome.status_name)
    keep_comment(decision, place, identity)
