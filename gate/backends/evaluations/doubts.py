"""Reasons to doubt the count of a metric, with the size of the doubt."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.evaluations.rounds import CountedRun, Round
from gate.backends.evaluations.runs import RunHistory
from gate.errors import nearest
from gate.evaluations import ALL_CHECKS
from gate.measure import Cause, Suspicion
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from gate.wording import instant

_SHOWN: Final = 3
_FINEST: Final = timedelta(microseconds=1)


def listing(names: Sequence[str]) -> str:
    """Return the first of some names, and the number of the others."""
    more = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def warnings(history: RunHistory) -> tuple[str, ...]:
    """Return the files that are missing from every count, whatever their time: unreadable ones."""
    if not history.unreadable:
        return ()
    return (
        f"{_files(history.unreadable)} cannot be read, and may be of any run:"
        f" {listing(history.unreadable)}; repair or remove damaged files",
    )


def why_none(history: RunHistory, span: Span, pattern: str, sli: Sli) -> str:
    """Return the reason why a span has no run to count, and the remedy."""
    lead = f"no run is between {instant(span.start)} and {instant(span.end)} in {pattern}"
    parts = list(_set_aside(history))
    if history.runs:
        newest = max((run.at for run in history.runs if run.at <= span.end), default=None)
        if newest is not None:
            parts.insert(0, f"the newest before is of {instant(newest)}")
    elif history.foreign and not parts:
        names = sorted({name for metrics in history.foreign.values() for name in metrics})
        metric = sli.metric or ALL_CHECKS
        parts = [f"no file has the metric {metric!r}{nearest(metric, names)}"]
        parts += [f"they have {', '.join(names[:_MOST_METRICS])}"]
    return "; ".join([lead, *parts])


_MOST_METRICS: Final = 10


def _set_aside(history: RunHistory) -> Iterator[str]:
    if history.unreadable:
        yield f"{_files(history.unreadable)} cannot be read: {listing(history.unreadable)}"
    if history.undated:
        names = [file.file for file in history.undated]
        yield f"{_files(names)} without the time of the run: {listing(names)}; {_dated(history)}"
    if history.flawed:
        flaws = [f"{run.file}: {run.flaw}" for run in history.flawed]
        yield f"{_files(flaws)} that cannot be relied on: {listing(flaws)}"


def _files(names: Sequence[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names)} files"


def _dated(history: RunHistory) -> str:
    """Say how files get a time."""
    if all(file.without_zone for file in history.undated):
        return "their times have no time zone: set backend.time_zone"
    return "have the tool write a format that has the time, such as promptfoo's or Inspect's JSON"


def suspicions(
    history: RunHistory, rounds: Sequence[Round], span: Span, every: timedelta
) -> tuple[Suspicion, ...]:
    """Return the reasons to doubt the count of a span.

    Args:
        history: the history of the metric.
        rounds: the rounds of its runs, the oldest first.
        span: the counted span.
        every: the interval between due runs.
    """
    runs = [run for run in history.runs if _is_in(run.at, span)]
    return (
        *_of_flawed(history, span, every),
        *_of_undated(history),
        *_of_copies(runs),
        *_of_reruns(runs),
        *_of_left_out([each for each in rounds if _is_in(each.at, span)]),
    )


def _is_in(at: datetime, span: Span) -> bool:
    return span.start < at <= span.end


def _stretch(times: Sequence[datetime]) -> Span:
    return Span(times[0] - _FINEST, times[-1])


def _of_flawed(history: RunHistory, span: Span, every: timedelta) -> Iterator[Suspicion]:
    """Suspect runs that began and cannot be counted.

    If a complete run came soon after, the known bad cases in the first may be the reason.
    """
    flawed = [run for run in history.flawed if _is_in(run.at, span)]
    if not flawed:
        return
    sizes = sorted(run.cases for run in history.runs)
    usual = sizes[len(sizes) // 2]
    hidden = sum(
        run.bad if _is_replaced(run, history.runs, every) else max(run.cases, usual)
        for run in flawed
    )
    number = "1 run is" if len(flawed) == 1 else f"{len(flawed)} runs are"
    files = [f"{run.file}, of {instant(run.at)}: {run.flaw}" for run in flawed]
    yield Suspicion(
        cause=Cause.UNKNOWN_OUTCOME,
        reason=f"{number} not counted, with up to {hidden:,} bad cases: {listing(files)}",
        remedy="run the evaluation again, as a whole, soon after a run that was not finished",
        hidden=Fraction(hidden),
        within=_stretch([run.at for run in flawed]),
    )


def _is_replaced(flawed: CountedRun, runs: Sequence[CountedRun], every: timedelta) -> bool:
    """Return whether a complete run of the same tool and at least its cases came soon after."""
    return any(
        flawed.at <= run.at < flawed.at + every / 2
        and run.tool == flawed.tool
        and flawed.passed.keys() <= run.passed.keys()
        for run in runs
    )


def _of_undated(history: RunHistory) -> Iterator[Suspicion]:
    if not history.undated:
        return
    bad, names = sum(file.bad for file in history.undated), [f.file for f in history.undated]
    yield Suspicion(
        cause=Cause.LOST,
        reason=(
            f"{_files(names)} with {bad:,} bad cases cannot be placed in time and"
            f" {'is' if len(names) == 1 else 'are'} not counted: {listing(names)}"
        ),
        remedy=_dated(history),
        hidden=Fraction(bad),
    )


def _of_copies(runs: Sequence[CountedRun]) -> Iterator[Suspicion]:
    disputed = [run for run in runs if run.disputed]
    if not disputed:
        return
    number, names = sum(run.disputed for run in disputed), [run.file for run in disputed]
    yield Suspicion(
        cause=Cause.CONTRADICTED,
        reason=(
            f"files of the same run contradict each other about {number:,} cases, which count as"
            f" bad: {listing(names)}"
        ),
        remedy="see which file the tool wrote, and remove the other",
        doubtful=Fraction(number),
        within=_stretch([run.at for run in disputed]),
    )


def _of_reruns(runs: Sequence[CountedRun]) -> Iterator[Suspicion]:
    rerun = [run for run in runs if run.rerun]
    if not rerun:
        return
    number, names = sum(run.rerun for run in rerun), [run.file for run in rerun]
    yield Suspicion(
        cause=Cause.UNKNOWN_OUTCOME,
        reason=(
            f"{number:,} cases have more rows than their file declares, and count as bad:"
            f" {listing(names)}"
        ),
        remedy="run each case once, or as often as the tool's own setting for repeats says",
        doubtful=Fraction(number),
        within=_stretch([run.at for run in rerun]),
    )


def _of_left_out(rounds: Sequence[Round]) -> Iterator[Suspicion]:
    short = [each for each in rounds if each.left_out]
    if not short:
        return
    number, newest = sum(each.left_out for each in short), short[-1]
    which = "the run" if len(short) == 1 else f"{len(short)} runs, the newest"
    cases = f" ({', '.join(newest.examples)}, ...)" if newest.examples else ""
    yield Suspicion(
        cause=Cause.LOST,
        reason=(
            f"{which} of {instant(newest.at)} left out {number:,} cases{cases} that most of the"
            " runs before had"
        ),
        remedy=(
            "run every case; if the set was changed on purpose, set cases_since in the indicator"
        ),
        hidden=Fraction(number),
        within=_stretch([each.at for each in short]),
    )
