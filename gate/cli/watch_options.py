"""The options of ``gate watch``: the traffic, the limits, and the outputs."""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from gate.analysis.watch import WatchOptions
from gate.analysis.watch.arms import TrafficLabel
from gate.analysis.watch.run import watch_grid
from gate.analysis.watch.state import WatchQuestion, WatchState, read_state
from gate.cli.command import FILE, Heading, option
from gate.cli.files import create_whole
from gate.cli.job_options import (
    PublishingOptions,
    ci_option,
    environment_option,
    publishing_options,
)
from gate.cli.log_files import NotReadableError, named, read_within
from gate.cli.option_values import DURATION, PORTION, Parsed, pair_of
from gate.cli.streams import write_note, write_stderr
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.slo.quantities import parse_ratio
from gate.wording import exact_instant, instant


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
_LARGEST: Final = 1 << 26
"""The maximum size of a state in bytes: a step of an SLO takes about forty."""
_HOUR: Final = timedelta(hours=1)
"""The time after its end, or its own length, during which a watch can be resumed. An older state is
probably left over from another deploy, and its verdict is about that one."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """The file in which a watch keeps its state."""

    path: str | None
    """None: the state is not written."""
    resume: bool

    def begin(self, question: WatchQuestion, options: WatchOptions, at: datetime) -> WatchState:
        """Return the first state: that of the file, or a new one.

        Raises:
            UsageError: the file must not be overwritten, or belongs to another watch; or it cannot
                be written.
        """
        new = WatchState(question=question, grid=watch_grid(options, at))
        if self.path is None:
            return new
        if not os.path.lexists(self.path):
            self._write(new)
            return new
        if not self.resume:
            raise UsageError(
                f"{named(self.path)} exists already: continue it with --resume, or remove it"
            )
        try:
            state = read_state(read_within(self.path, _LARGEST), question, named(self.path))
        except NotReadableError as error:
            raise UsageError(f"{named(self.path)} is not the state of a watch: {error}") from error
        if state.grid.start > at + options.every + timedelta(minutes=1):
            raise UsageError(
                f"{named(self.path)} begins at {state.grid.start:%Y-%m-%d %H:%M:%S} UTC, which is"
                " in the future: set the clock, or remove the file to watch from now on"
            )
        if at > state.grid.end + max(options.lasting, _HOUR):
            raise UsageError(
                f"{named(self.path)} is of a watch that ended at {instant(state.grid.end)}, long"
                " ago: remove the file to watch from now on, or write --at"
                f" {exact_instant(state.grid.start)} for the result of that watch"
            )
        write_note(f"gate: continuing {named(self.path)}, from its look {state.looks}")
        return state

    def keep(self, state: WatchState) -> None:
        """Write the state; a failure is a warning."""
        if self.path is not None:
            with suppress(UsageError):
                self._write(state, warn=True)

    def _write(self, state: WatchState, *, warn: bool = False) -> None:
        try:
            create_whole(Path(self.path or ""), state.text())
        except OSError as error:
            message = f"{named(self.path or '')} could not be written: {error.strerror}"
            if warn:
                write_stderr(f"gate: warning: {message}")
            raise UsageError(message) from error
