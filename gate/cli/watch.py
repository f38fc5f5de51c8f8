"""``gate watch``."""

import os
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

import click

from gate.analysis.watch import EXIT_CODES, SpendLimit, WatchOptions, WatchReport
from gate.analysis.watch.arms import Arms, NotComparableError, watched_slos
from gate.analysis.watch.phrases import headline
from gate.analysis.watch.run import watch as watch_canary
from gate.analysis.watch.run import watch_question
from gate.analysis.watch.words import output
from gate.cli.command import command, group
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.cli.session import now
from gate.cli.status_command import StatusCommand, publisher_of
from gate.cli.streams import write_note
from gate.cli.watch_options import CONDUCT, TRAFFIC, StateFile, WatchConduct, WatchedTraffic
from gate.cli.watching import Watchman, run_command
from gate.config.load import PolicyFile
from gate.decision.decision import Context
from gate.errors import ExitCode, UsageError
from gate.history.cohorts.comparison import is_part_of_bad
from gate.history.sequential.verdict import CanaryVerdict
from gate.reporters import PAGES, Style, render_page
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import percent

_SHORTEST: Final = timedelta(seconds=1)
"""The shortest step, since backends do not count shorter ones."""
_MOST_LOOKS: Final = 20_000
"""A day with a look every five seconds; each step of them is kept."""


class WatchCommand(StatusCommand):
    """A command with a status and a comment of its own, beside those of ``gate check``."""

    default_key: str | None = "watch"


@command(
    cls=WatchCommand,
    example=(
        "gate watch --canary track=canary --baseline track=stable --for 1h",
        "gate watch --canary track=canary --for 30m --max-spend 5% --on-rollback ./rollback.sh",
    ),
)
@measurement_options(
    PAGES,
    at="Begin at this RFC 3339 time, such as that of the deploy, and do not wait for the time that"
    " has passed. Default: now.",
    single=True,
)
@group("traffic", WatchedTraffic, TRAFFIC)
@group("conduct", WatchConduct, CONDUCT)
def watch(
    *, measurement: MeasurementOptions, traffic: WatchedTraffic, conduct: WatchConduct
) -> ExitCode:
    """Watch a canary after the deploy, beside the baseline and the budgets of the POLICY.

    It ends as soon as the canary is shown to be worse, or when the time is up. You can choose any
    number of looks: the test allows for them.

    Exit codes: 0 healthy, 3 cannot tell, 10 roll back, 2 usage or policy-file error, 130
    interrupted. SIGTERM ends it with the verdict on the data so far.
    """
    _check(traffic, conduct, measurement.policies)
    publisher = publisher_of(click.get_current_context())
    (file,) = measurement.load()
    options = _options(file, traffic, conduct, measurement)
    state = StateFile(conduct.state, resume=conduct.resume)
    begun = state.begin(watch_question(file, options), options, measurement.instant())
    if publisher is not None:
        write_note(publisher.start([file.policy.service]))
    with Watchman(options, state, now()).on_duty() as surroundings:
        report = watch_canary(file, options, begun, surroundings)
        if report.verdict is CanaryVerdict.ROLL_BACK and conduct.on_rollback is not None:
            run_command(conduct.on_rollback, report)
    measurement.report_page(output(report))
    _publish(report, conduct, measurement.policies)
    if publisher is not None:
        write_note(publisher.ended(EXIT_CODES[report.verdict], headline(report)))
    return EXIT_CODES[report.verdict]


def _check(traffic: WatchedTraffic, conduct: WatchConduct, policies: Sequence[str]) -> None:
    """Refuse options that can never lead to a verdict, before time is lost.

    Raises:
        UsageError: an error of click, with what to write instead.
    """
    if len(policies) > 1:
        raise click.UsageError("gate watch takes a single policy; run it once for each")
    if traffic.canary == traffic.baseline:
        raise click.UsageError("--canary and --baseline are equal; name two parts of the traffic")
    if traffic.every < _SHORTEST:
        raise click.UsageError(f"--every is shorter than {format_duration(_SHORTEST)}")
    if traffic.every > traffic.lasting:
        raise click.UsageError("--every is longer than --for; look at least once")
    if traffic.lasting > _MOST_LOOKS * traffic.every:
        raise click.UsageError(f"--every is too short for --for: at most {_MOST_LOOKS:,} looks")
    if conduct.resume and conduct.state is None:
        raise click.UsageError("--resume needs --state, the file to go on with")


def _options(
    file: PolicyFile,
    traffic: WatchedTraffic,
    conduct: WatchConduct,
    measurement: MeasurementOptions,
) -> WatchOptions:
    """Return the settings of the watch.

    Raises:
        UsageError: an SLO does not exist, or has no events that could be compared; or the trigger
            belongs to another policy.
    """
    try:
        slos = watched_slos(file.policy, traffic.slos)
    except NotComparableError as error:
        named = " ".join(f"--slo {name}" for name in error.others)
        advice = f"watch the others: {named}" if named else "the policy has no other"
        raise UsageError(f"{file.source.path}: {error}; {advice}") from error
    _check_comparison(slos, traffic)
    change: str | None = None
    promises: dict[str, SpendLimit] = {}
    context = _context(conduct)
    if traffic.trigger is not None:
        from gate.cli.promised import promised_limits  # noqa: PLC0415 - where there is a trigger

        change, promises = promised_limits(traffic.trigger, file, context, measurement.at)
    return WatchOptions(
        arms=Arms(traffic.canary, traffic.baseline),
        lasting=traffic.lasting,
        every=traffic.every,
        margin=traffic.margin,
        max_spend=traffic.max_spend,
        slos=tuple(slo.name for slo in slos),
        timeout=measurement.timeout,
        change=change,
        promises=promises,
        revision=context.revision,
    )


def _context(conduct: WatchConduct) -> Context:
    """Return the context of this run, with the commit that it is about."""
    from gate.cli.ci_environment import context_of  # noqa: PLC0415 - git is seldom asked

    return context_of(conduct.ci, environment=conduct.environment)


def _check_comparison(slos: Sequence[RatioSlo], traffic: WatchedTraffic) -> None:
    """Refuse options with which any canary would be healthy.

    Raises:
        UsageError: an error of click, for the margin or for the label.
    """
    label = traffic.canary.label
    for slo in slos:
        if is_part_of_bad(label, slo.sli):
            raise click.UsageError(
                f"{label} is part of what makes an event of {slo.name} bad, so it does not"
                " identify the canary; use another label"
            )
        allowed = 1 - slo.budget if traffic.baseline is None else Fraction(1)
        if traffic.margin * slo.budget >= allowed:
            raise click.UsageError(
                f"--margin {percent(traffic.margin)} lets every request of {slo.name} fail; write"
                f" less than {percent(allowed / slo.budget)}"
            )


def _publish(report: WatchReport, conduct: WatchConduct, policies: Sequence[str]) -> None:
    """Update the comment, if requested."""
    if not conduct.comment:
        return
    from gate.cli.ci_environment import CiEnvironment  # noqa: PLC0415 - where it is kept only
    from gate.cli.publishing import identity_of, keep_page  # noqa: PLC0415 - as above

    place = CiEnvironment(_context(conduct), os.environ)
    key = conduct.gate_key or WatchCommand.default_key
    identity = identity_of(policies, place, key=key, status_name=conduct.status_name)
    text = render_page("markdown", output(report), Style())
    keep_page(text, place, identity, EXIT_CODES[report.verdict])
