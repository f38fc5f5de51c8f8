"""``gate watch``."""

import os
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

import click

from gate.analysis.watch import EXIT_CODES, WatchOptions, WatchReport
from gate.analysis.watch.arms import Arms, NotComparableError, TrafficLabel, watched_slos
from gate.analysis.watch.phrases import headline
from gate.analysis.watch.run import watch as watch_canary
from gate.analysis.watch.run import watch_question
from gate.analysis.watch.words import output
from gate.cli.command import FILE, Heading, command, group, option
from gate.cli.option_values import DURATION, PORTION, Parsed, pair_of
from gate.cli.parameters import (
    MeasurementOptions,
    ci_option,
    identity_options,
    measurement_options,
)
from gate.cli.session import load_all, now
from gate.cli.status_command import StatusCommand, publisher_of
from gate.cli.streams import write_note
from gate.cli.watching import StateFile, Watchman, run_command
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import ExitCode, UsageError
from gate.history.sequential.verdict import CanaryVerdict
from gate.reporters import PAGES, Style, render_page
from gate.slo.quantities import format_duration, parse_ratio

_SHORTEST: Final = timedelta(seconds=1)
"""A step; backends count no shorter ones."""


def traffic_label(text: str) -> TrafficLabel:
    """Read ``LABEL=VALUE``; raises ValueError."""
    return TrafficLabel(*pair_of(text, "LABEL=VALUE, such as track=canary"))


def margin_of(text: str) -> Fraction:
    """Read a share of the error budget, which may be more than all of it; raises ValueError."""
    margin = parse_ratio(text)
    if margin <= 0:
        raise ValueError(f"{text} must be above 0%: that nothing differs cannot be shown")
    return margin


_LABEL: Final = Parsed("label=value", traffic_label)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTraffic:
    """What is watched, for how long and how strictly."""

    canary: TrafficLabel
    baseline: TrafficLabel | None
    lasting: timedelta
    every: timedelta
    margin: Fraction
    max_spend: Fraction | None
    slos: tuple[str, ...]
    trigger: str | None


_TRAFFIC: Final = (
    option(
        "--canary",
        type=_LABEL,
        metavar="LABEL=VALUE",
        required=True,
        heading=Heading.WATCH,
        help="The label that the canary's requests have, such as track=canary (logs: a column).",
    ),
    option(
        "--baseline",
        type=_LABEL,
        metavar="LABEL=VALUE",
        heading=Heading.WATCH,
        help="The label of the requests that the canary is compared with, such as track=stable."
        " Without it the canary is compared with the budget alone.",
    ),
    option(
        "--for",
        "lasting",
        type=DURATION,
        required=True,
        heading=Heading.WATCH,
        help="How long to watch, a duration such as 1h. A canary that is worse ends it sooner.",
    ),
    option(
        "--every",
        type=DURATION,
        default="1m",
        show_default=True,
        heading=Heading.WATCH,
        help="Time between two looks, and the step in which events are counted, a duration such as"
        " 1m; at least four scrapes.",
    ),
    option(
        "--margin",
        type=Parsed("share", margin_of),
        default="100%",
        show_default=True,
        heading=Heading.WATCH,
        help="By how much the canary's error ratio may exceed the baseline's, as a share of the"
        " error budget: with 99.9% and 100% by 0.1% of the requests.",
    ),
    option(
        "--max-spend",
        type=PORTION,
        heading=Heading.WATCH,
        help="Roll back when the canary has spent more than this share of a budget, such as 5%.",
    ),
    option(
        "--slo",
        "slos",
        metavar="NAME",
        multiple=True,
        heading=Heading.WATCH,
        help="Watch this SLO only. Can be repeated. Default: all that are not advisory.",
    ),
    option(
        "--trigger",
        type=FILE,
        heading=Heading.WATCH,
        help="Hold the canary to what gate check --trigger wrote to this file before the change.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConduct:
    """How the watch survives, and what becomes of its verdict."""

    state: str | None
    resume: bool
    on_rollback: str | None
    comment: bool
    status: bool
    status_name: str | None
    gate_key: str | None
    ci: str
    environment: str | None


_CONDUCT: Final = (
    option(
        "--state",
        type=FILE,
        heading=Heading.WATCH,
        help="Write to this file after each look what was seen, so that --resume can go on.",
    ),
    option(
        "--resume",
        is_flag=True,
        heading=Heading.WATCH,
        help="Go on where the watch of the --state file was; without such a file begin.",
    ),
    option(
        "--on-rollback",
        metavar="COMMAND",
        heading=Heading.WATCH,
        help="Run this command in a shell when the verdict is to roll back. It finds the report in"
        " the file $GATE_WATCH_FILE (JSON), and its result does not change the exit code.",
    ),
    option(
        "--comment",
        is_flag=True,
        heading=Heading.PUBLISHING,
        help="Keep one comment on the pull request up to date.",
    ),
    option(
        "--status",
        is_flag=True,
        heading=Heading.PUBLISHING,
        help="Set the status of the commit to the verdict.",
    ),
    *identity_options("watch"),
    ci_option(),
    option(
        "--environment",
        metavar="NAME",
        heading=Heading.CHANGE,
        help="Environment that the canary is in, such as production.",
    ),
)


class WatchCommand(StatusCommand):
    """Has a status and a comment of its own beside those of ``gate check``."""

    default_key: str | None = "watch"


@command(
    cls=WatchCommand,
    example=(
        "gate watch --canary track=canary --baseline track=stable --for 1h",
        "gate watch --canary track=canary --for 30m --max-spend 5% --on-rollback ./rollback.sh",
    ),
)
@measurement_options(PAGES, at="Begin at this RFC 3339 time, and do not wait where it has passed.")
@group("traffic", WatchedTraffic, _TRAFFIC)
@group("conduct", WatchConduct, _CONDUCT)
def watch(
    *, measurement: MeasurementOptions, traffic: WatchedTraffic, conduct: WatchConduct
) -> ExitCode:
    """Watch a canary after the deploy, beside the baseline and the budgets of the POLICY.

    It ends as soon as the canary is shown to be worse, and else when the time is up. The looks are
    as many as one likes: the test allows for them.

    Exit codes: 0 healthy, 3 cannot decide, 10 roll back, 2 usage or policy-file error, 130
    interrupted. SIGTERM ends it with the verdict on what was seen.
    """
    _check(traffic, conduct, measurement.policies)
    publisher = publisher_of(click.get_current_context())
    (file,) = load_all(measurement.policies)
    options = _options(file, traffic, measurement.timeout)
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
    """Refuse what can never come to a verdict, before time is lost.

    Raises:
        UsageError: of click, with what to write instead.
    """
    if len(policies) > 1:
        raise click.UsageError("gate watch takes a single policy; run it once for each")
    if traffic.canary == traffic.baseline:
        raise click.UsageError("--canary and --baseline are equal; name two parts of the traffic")
    if traffic.every < _SHORTEST:
        raise click.UsageError(f"--every is shorter than {format_duration(_SHORTEST)}")
    if traffic.every > traffic.lasting:
        raise click.UsageError("--every is longer than --for; look at least once")
    if conduct.resume and conduct.state is None:
        raise click.UsageError("--resume needs --state, the file to go on with")


def _options(file: PolicyFile, traffic: WatchedTraffic, timeout: timedelta) -> WatchOptions:
    """Return what is watched.

    Raises:
        UsageError: an SLO is not there, or has no events that could be compared.
    """
    try:
        slos = tuple(slo.name for slo in watched_slos(file.policy, traffic.slos))
    except NotComparableError as error:
        named = " ".join(f"--slo {name}" for name in error.others)
        advice = f"watch the others: {named}" if named else "the policy has no other"
        raise UsageError(f"{file.source.path}: {error}; {advice}") from error
    return WatchOptions(
        arms=Arms(traffic.canary, traffic.baseline),
        lasting=traffic.lasting,
        every=traffic.every,
        margin=traffic.margin,
        max_spend=traffic.max_spend,
        slos=slos,
        timeout=timeout,
    )


def _publish(report: WatchReport, conduct: WatchConduct, policies: Sequence[str]) -> None:
    """Keep the comment, as far as that is wanted."""
    if not conduct.comment:
        return
    from gate.cli.ci_environment import CiEnvironment, context_of  # noqa: PLC0415 - where it is kept only
    from gate.cli.publishing import identity_of, keep_page  # noqa: PLC0415 - as above

    place = CiEnvironment(context_of(conduct.ci, environment=conduct.environment), os.environ)
    key = conduct.gate_key or WatchCommand.default_key
    identity = identity_of(policies, place, key=key, status_name=conduct.status_name)
    text = render_page("markdown", output(report), Style())
    keep_page(text, place, identity, EXIT_CODES[report.verdict])
