"""The contents of result files as the gate reads them, for authors of requirements."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any, Final

from gate import __version__
from gate.budget.ratio import wilson_interval
from gate.dataclass import dataclass
from gate.decision.slo_document import rfc3339
from gate.errors import ExitCode
from gate.evaluations import EvaluationRun
from gate.evaluations.binding import ResultFile
from gate.evaluations.cases import Cases, case_digest, cases_of, describe
from gate.policy.findings import Verdict
from gate.reporters.page import Badge, Fact, Facts, Output, Page, Section
from gate.wording import instant, percent_left, rounded

_UNTIMED: Final = "the file does not say; max_age needs it: run gate attest on it"
_ZONELESS: Final = " on: its time has no zone, and the earliest that it can be counts"
_UNBOUND: Final = "the file does not say; run gate attest on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResults:
    """A result file with its distinct cases."""

    file: ResultFile
    cases: Cases

    @property
    def flaws(self) -> tuple[str, ...]:
        """The flaws of the file, one clause each; empty for a file without flaws."""
        run = self.file.run
        own = () if self.file.flaw is None else (self.file.flaw,)
        if run is None:
            return own
        none = () if self.cases.total or run.flaws else ("there are no cases in it",)
        return (*own, *run.flaws, *self.cases.doubts, *none)


def read_cases(files: Sequence[ResultFile], repeats: int) -> list[ReadResults]:
    """Return each file with its distinct cases.

    Args:
        files: the files that were read.
        repeats: the number of rows that a requirement allows for each case.
    """
    return [
        ReadResults(file=file, cases=cases_of([file.run] if file.run is not None else [], repeats))
        for file in files
    ]


def exit_code(results: Sequence[ReadResults]) -> ExitCode:
    """Return undecided if something is wrong with one of the files."""
    return ExitCode.UNDECIDED if any(each.flaws for each in results) else ExitCode.ALLOW


def output(results: Sequence[ReadResults]) -> Output:
    """Return the files in the form that every format is written from."""
    return Output(page=partial(_page, results), document=partial(_document, results))


def _page(results: Sequence[ReadResults]) -> Page:
    return Page(sections=tuple(map(_section, results)), closing=())


def _section(each: ReadResults) -> Section:
    good = not each.flaws
    badge = Badge(Verdict.ALLOW, "READ") if good else Badge(Verdict.UNDECIDED, "NOT USABLE")
    return Section(title=each.file.name, badge=badge, blocks=(Facts(tuple(_facts(each))),))


def _facts(each: ReadResults) -> Iterator[Fact]:
    file, cases, run = each.file, each.cases, each.file.run
    yield from (("Flaw", flaw) for flaw in each.flaws)
    if run is None:
        return
    yield "Tool", run.tool
    yield "Commit", file.commit or run.commit_note or _UNBOUND
    yield "Ran", _UNTIMED if file.ran_at is None else _ran(file.ran_at, run)
    yield "Metrics", ", ".join(run.metrics) or "the file names none"
    if run.repeats > 1:
        yield "Repeats", f"{run.repeats} rows a case, as the file declares"
    if cases.total:
        low, high = wilson_interval(Fraction(cases.passed), Fraction(cases.total))
        share = percent_left(Fraction(cases.passed, cases.total))
        interval = f"95% interval {rounded(low)} to {rounded(high)}"
        yield "Cases", f"{cases.passed:,} of {cases.total:,} passed ({share}, {interval})"
    if others := describe(cases.counts):
        yield "Others", others
    if cases.outcomes:
        yield "case_digest", case_digest(cases.outcomes)
    yield from (("case_digest", f"{digest} ({task})") for task, digest in run.digests.items())


def _ran(ran_at: datetime, run: EvaluationRun) -> str:
    zoneless = run.started_at == ran_at and not run.zoned
    return f"{'from ' * zoneless}{instant(ran_at)}{_ZONELESS * zoneless}"


def _document(results: Sequence[ReadResults]) -> dict[str, Any]:
    return {"files": [_file(each) for each in results], "tool_version": __version__}


def _file(each: ReadResults) -> dict[str, Any]:
    file, cases, run = each.file, each.cases, each.file.run
    return {
        "file": file.name,
        "usable": not each.flaws,
        "flaws": list(each.flaws),
        "tool": None if run is None else run.tool,
        "commit": file.commit,
        "ran_at": rfc3339(file.ran_at),
        "metrics": [] if run is None else list(run.metrics),
        "repeats": None if run is None else run.repeats,
        "cases": cases.total,
        "passed": cases.passed,
        "outcomes": {str(outcome): count for outcome, count in cases.counts.items() if count},
        "case_digest": case_digest(cases.outcomes) if cases.outcomes else None,
        "digests": {} if run is None else dict(run.digests),
    }
