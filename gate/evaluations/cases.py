"""Distinct cases of the runs of an evaluation, and the outcome of each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from hashlib import sha256
from typing import Final

from gate.dataclass import dataclass
from gate.evaluations import CaseOutcome, EvaluationRun, Tally
from gate.evaluations.documents import few_of

_WORST_FIRST: Final = (
    *(CaseOutcome.ERRORED, CaseOutcome.UNSCORED, CaseOutcome.FAILED, CaseOutcome.MISSING),
    *(CaseOutcome.SKIPPED, CaseOutcome.UNCHECKED, CaseOutcome.FLAKY, CaseOutcome.PASSED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The distinct cases of some runs."""

    outcomes: Mapping[str, CaseOutcome] = field(default_factory=dict)
    """The outcome of each case by its id, sorted: the worst of its rows. Rows without an id, and
    those of files with totals only, are not included."""
    total: int = 0
    """The number of distinct cases; a row without an id counts as one."""
    passed: int = 0
    """The number of cases in which every row has passed."""
    counts: Mapping[CaseOutcome, int] = field(default_factory=dict)
    """The number of cases with each outcome; they add up to ``total``."""
    duplicates: tuple[str, ...] = ()
    """The sorted ids of cases with more rows than declared."""
    doubts: tuple[str, ...] = ()
    """The reasons why the figures cannot be relied on, one clause each, with duplicates."""


def cases_of(runs: Sequence[EvaluationRun], repeats: int = 1) -> Cases:
    """Return the distinct cases of runs that are read together; their flaws are ignored.

    A case may have as many rows as ``repeats`` or one of its runs declares. A case with more rows
    is a duplicate: an undeclared rerun may have been repeated until it passed. A case with fewer
    rows lacks one, and has not passed.
    """
    tallies = [run.tally for run in runs if run.tally is not None]
    if tallies:
        return _of_totals(tallies, alone=len(runs) == 1)
    allowed: dict[str, int] = {}
    rows: dict[str, list[CaseOutcome]] = {}
    nameless: list[CaseOutcome] = []
    for run in runs:
        for row in run.rows:
            if row.case_id is None:
                nameless.append(row.outcome)
                continue
            allowed[row.case_id] = max(repeats, run.repeats, allowed.get(row.case_id, 1))
            rows.setdefault(row.case_id, []).append(row.outcome)
    outcomes = {name: _worst(rows[name], allowed[name]) for name in sorted(rows)}
    duplicates = tuple(name for name in outcomes if len(rows[name]) > allowed[name])
    counts = Counter([*outcomes.values(), *nameless])
    return Cases(
        outcomes=outcomes,
        total=counts.total(),
        passed=counts[CaseOutcome.PASSED],
        counts=counts,
        duplicates=duplicates,
        doubts=tuple(_doubts(duplicates, len(nameless))),
    )


def _of_totals(tallies: Sequence[Tally], *, alone: bool) -> Cases:
    """Return the cases of files with totals only: two such files may have the same cases."""
    total, passed = sum(each.cases for each in tallies), sum(each.passed for each in tallies)
    doubt = "a file has only totals, so that its cases may be those of the other files, too"
    return Cases(
        total=total,
        passed=passed,
        counts=Counter({CaseOutcome.PASSED: passed, CaseOutcome.FAILED: total - passed}),
        doubts=() if alone else (doubt,),
    )


def _worst(outcomes: Sequence[CaseOutcome], rows: int) -> CaseOutcome:
    lacking = [CaseOutcome.MISSING] if len(outcomes) < rows else []
    return min([*outcomes, *lacking], key=_WORST_FIRST.index)


def _doubts(duplicates: Sequence[str], nameless: int) -> Iterable[str]:
    if duplicates:
        yield (
            f"cases have more rows than are declared ({few_of(duplicates, 3)}):"
            " reruns have to be declared with `repeats`"
        )
    if nameless:
        yield f"{nameless} rows have no id, so that distinct cases cannot be counted"


def case_digest(ids: Iterable[str]) -> str:
    """Return the hash of a set of cases: SHA-256, 64 hexadecimal digits.

    It is the hash of the distinct ids, sorted by their bytes in UTF-8, each followed by a newline:
    the output of ``LC_ALL=C sort -u ids.txt | sha256sum`` for a file with one id on each line.
    """
    lines = sorted({f"{case_id}\n".encode("utf-8", "surrogatepass") for case_id in ids})
    return sha256(b"".join(lines)).hexdigest()


def describe(counts: Mapping[CaseOutcome, int]) -> str:
    """Return the numbers of failed cases: ``4 errored, 2 failed``; empty if all passed."""
    kinds = [outcome for outcome in _WORST_FIRST if outcome is not CaseOutcome.PASSED]
    return ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts.get(kind))
