"""The runs in result files: the start of each, and the outcomes of its cases.

The time is the one inside the file, never the file's own, which a copy, a cache or a checkout
renews.
"""

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Final

from gate.backends.evaluations.rounds import CountedRun
from gate.backends.evaluations.settings import EvaluationsSettings
from gate.dataclass import dataclass
from gate.evaluations import ALL_CHECKS, CaseOutcome, EvaluationRun, UnreadableResultsError
from gate.evaluations.cases import cases_of
from gate.evaluations.reading import read_file, read_run
from gate.measure import Cause, MeasurementError
from gate.slo.indicator import Sli

ATTESTATION: Final = ".attestation.json"
"""The end of the names of the files that ``gate attest`` writes beside result files."""
_EARLIEST_ZONE: Final = timezone(timedelta(hours=14))
"""The zone of `EvaluationRun.started_at` for times without a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndatedFile:
    """A result file without the time of its run."""

    file: str
    bad: int
    """The number of its cases that did not pass."""
    without_zone: bool
    """Whether it has a time without a time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """Everything that the files say about one metric; runs are the oldest first."""

    runs: Sequence[CountedRun] = ()
    """The runs that count: at least one case each."""
    flawed: Sequence[CountedRun] = ()
    undated: Sequence[UndatedFile] = ()
    unreadable: Sequence[str] = ()
    """The unreadable files, as clauses that begin with the file."""
    copies: Sequence[str] = ()
    """Further files of runs that were already counted."""
    foreign: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Files that have only other metrics, with their names."""
    metrics: Sequence[str] = ()
    """All metrics in the files, sorted."""
    files: int = 0
    """The number of files; at least one."""


class ResultFiles:
    """The files of a backend. Each is read once, and again only if it has changed."""

    def __init__(self, settings: EvaluationsSettings) -> None:
        self.settings = settings
        self._contents: dict[tuple[str, int, int], bytes | str] = {}
        self._histories: dict[
            tuple[tuple[tuple[str, int, int], ...], str | None, Fraction | None], RunHistory
        ] = {}

    def history(self, sli: Sli) -> RunHistory:
        """Return the history of an indicator in the files.

        Raises:
            MeasurementError: no file matches, or a folder cannot be read.
        """
        files = self._files()
        key = (files, sli.metric, sli.score)
        if key not in self._histories:
            self._histories[key] = self._read(files, sli)
        return self._histories[key]

    def _files(self) -> tuple[tuple[str, int, int], ...]:
        """Return the names of the files, with a value that changes with the file."""
        # Path.glob does not accept an absolute pattern.
        names = sorted(glob.glob(self.settings.pattern, recursive=True))  # noqa: PTH207
        files = []
        for name in names:
            path = Path(name)
            if name.endswith(ATTESTATION) or path.is_dir():
                continue
            try:
                state = path.stat()
            except (OSError, ValueError):
                files.append((name, -1, -1))  # reading it reports the problem
            else:
                files.append((name, state.st_size, state.st_mtime_ns))
        if not files:
            reason = (
                f"no file matches {self.settings.shown_pattern}; correct the path, or keep the"
                " result file of every run there"
            )
            raise MeasurementError(Cause.NO_DATA, reason)
        return tuple(files)

    def _content(self, file: tuple[str, int, int]) -> bytes:
        """Return the content of a file.

        Raises:
            UnreadableResultsError: it cannot be read.
        """
        if file not in self._contents:
            try:
                self._contents[file] = read_file(file[0])
            except UnreadableResultsError as error:
                self._contents[file] = str(error)
        content = self._contents[file]
        if isinstance(content, str):
            raise UnreadableResultsError(content)
        return content

    def _read(self, files: Sequence[tuple[str, int, int]], sli: Sli) -> RunHistory:
        runs, flawed = list[CountedRun](), list[CountedRun]()
        metrics = set[str]()
        undated, unreadable, foreign = list[UndatedFile](), list[str](), dict[str, Sequence[str]]()
        for file in files:
            name = self._shown(file[0])
            try:
                run = read_run(
                    self._content(file), file_name=file[0], metric=sli.metric, score=sli.score
                )
            except UnreadableResultsError as error:
                unreadable.append(f"{name}: {error}")
                continue
            metrics.update(run.metrics)
            if _is_foreign(run, sli.metric or ALL_CHECKS):
                foreign[name] = run.metrics
                continue
            counted = _counted(run, name, self.settings.time_zone)
            if isinstance(counted, UndatedFile):
                undated.append(counted)
            else:
                (flawed if counted.flaw else runs).append(counted)
        merged, copies = _merged(runs)
        return RunHistory(
            runs=merged,
            flawed=sorted(flawed, key=lambda run: run.at),
            undated=undated,
            unreadable=unreadable,
            copies=copies,
            foreign=foreign,
            metrics=sorted(metrics),
            files=len(files),
        )

    def _shown(self, name: str) -> str:
        folder = str(self.settings.directory)
        return name if folder == "." else name.removeprefix(folder).lstrip("/")


def _is_foreign(run: EvaluationRun, metric: str) -> bool:
    """Return whether a file is about other metrics.

    A file without a metric's name is not: if every case ended in an error, there are no scores.
    """
    names = {name.casefold() for name in run.metrics}
    return metric != ALL_CHECKS and bool(names) and metric.casefold() not in names


def _counted(run: EvaluationRun, file: str, zone: tzinfo | None) -> CountedRun | UndatedFile:
    """Return the run in a file. A case with more rows than declared has not passed."""
    cases = cases_of([run])
    at, again = _instant(run, zone), frozenset(cases.duplicates)
    passed = {
        case: outcome is CaseOutcome.PASSED and case not in again
        for case, outcome in cases.outcomes.items()
    }
    named_passed = sum(outcome is CaseOutcome.PASSED for outcome in cases.outcomes.values())
    unnamed = cases.total - len(passed)
    unnamed_bad = unnamed - (cases.passed - named_passed)
    if at is None:
        bad = list(passed.values()).count(False) + unnamed_bad
        return UndatedFile(file=file, bad=bad, without_zone=run.started_at is not None)
    flaws = [*run.flaws, *([] if cases.total else ["it has no case"])]
    if unnamed and run.tally is None:
        flaws.append("rows have no id, so that distinct cases cannot be counted")
    return CountedRun(
        file=file,
        at=at,
        tool=run.tool,
        passed=passed,
        unnamed=unnamed,
        unnamed_bad=unnamed_bad,
        flaw="; ".join(flaws) or None,
        rerun=len(again),
    )


def _instant(run: EvaluationRun, zone: tzinfo | None) -> datetime | None:
    if run.started_at is None or run.zoned:
        return run.started_at
    if zone is None:
        return None
    local = run.started_at.astimezone(_EARLIEST_ZONE).replace(tzinfo=zone)
    return local.astimezone(UTC)


def _merged(runs: Iterable[CountedRun]) -> tuple[list[CountedRun], list[str]]:
    """Return each run once, and the further files of runs that are in several files.

    Files of the same tool and time belong to one run: they are copies of it, or parts. A case in
    several of them counts once, and has passed only if it passed in all.
    """
    merged, copies = dict[tuple[str, datetime], CountedRun](), list[str]()
    for run in sorted(runs, key=lambda run: (run.at, run.file)):
        first = merged.setdefault((run.tool, run.at), run)
        if first is run:
            continue
        common = first.passed.keys() & run.passed.keys()
        if common or run.unnamed:
            copies.append(run.file)
        disputed = sum(first.passed[case] is not run.passed[case] for case in common)
        united = {
            case: first.passed.get(case, True) and run.passed.get(case, True)
            for case in {**first.passed, **run.passed}
        }
        merged[run.tool, run.at] = replace(
            first,
            passed=united,
            unnamed=max(first.unnamed, run.unnamed),
            unnamed_bad=max(first.unnamed_bad, run.unnamed_bad),
            rerun=max(first.rerun, run.rerun),
            disputed=first.disputed + disputed,
        )
    return list(merged.values()), copies
