"""The options of ``gate watch``: the traffic, the limits, and the outputs."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.analysis.watch.arms import TrafficLabel
from gate.cli.command import FILE, Heading, option
from gate.cli.job_options import (
    PublishingOptions,
    ci_option,
    environment_option,
    publishing_options,
)
from gate.cli.option_values import DURATION, PORTION, Parsed, pair_of
from gate.dataclass import dataclass
from gate.slo.quantities import parse_ratio


def traffic_label(text: str) -> TrafficLabel:
    """Read ``LABEL=VALUE``; raises ValueError."""
    return TrafficLabel(*pair_of(text, "LABEL=VALUE, such as track=canary"))


def margin_of(text: str) -> Fraction:
    """Read a share of the error budget, which may exceed 100%; raises ValueError."""
    margin = parse_ratio(text)
    if margin <= 0:
        raise ValueError(f"{text} must be above 0%: an exact equality cannot be shown")
    return margin


_LABEL: Final = Parsed("label=value", traffic_label)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTraffic:
    """The traffic that is watched, the duration, and the limits."""

    canary: TrafficLabel
    baseline: TrafficLabel | None
    lasting: timedelta
    every: timedelta
    margin: Fraction
    max_spend: Fraction | None
    slos: tuple[str, ...]
    trigger: str | None


TRAFFIC: Final = (
    option(
        "--canary",
        type=_LABEL,
        metavar="LABEL=VALUE",
        required=True,
        heading=Heading.WATCH,
        help="The label of the canary's requests, such as track=canary (logs: a column).",
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
        help="How far the canary's error ratio may exceed the baseline's, as a share of the error"
        " budget: with 99.9% and 100%, by 0.1% of the requests.",
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
        help="Limit the canary to the promised cost that gate check --trigger wrote to this file"
        " before the change.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConduct(PublishingOptions):
    """Whether the watch survives a restart, and the outputs of its verdict."""

    state: str | None
    resume: bool
    on_rollback: str | None
    ci: str
    environment: str | None


CONDUCT: Final = (
    option(
        "--state",
        type=FILE,
        heading=Heading.WATCH,
        help="Write the state to this file after each look, so that --resume can continue.",
    ),
    option(
        "--resume",
        is_flag=True,
        heading=Heading.WATCH,
        help="Continue the watch of the --state file; without such a file, begin a new one.",
    ),
    option(
        "--on-rollback",
        metavar="COMMAND",
        heading=Heading.WATCH,
        help="Run this command in a shell when the verdict is to roll back. It finds the report in"
        " the file $GATE_WATCH_FILE (JSON), and its result does not change the exit code.",
    ),
    *publishing_options("watch"),
    ci_option(),
    environment_option("Environment that the canary is in, such as production."),
)
