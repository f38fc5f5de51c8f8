"""Distinct cases of the runs of an evaluation, and what became of each."""

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
    those of files that have only totals, are not among them."""
    total: int = 0
    """How many distinct cases there are; a row without an id counts as one."""
    passed: int = 0
    """The number of cases in which every row has passed."""
    counts: Mapping[CaseOutcome, int] = field(default_factory=dict)
    """How many cases became of each kind; they add up to ``total``."""
    duplicates: tuple[str, ...] = ()
    """Ids of cases that have more rows than are declared, sorted."""
    doubts: tuple[str, ...] = ()
    """The reason why the figures cannot be relied on, one clause each; duplicates are among
    them."""


def cases_of(runs: Sequence[EvaluationRun], repeats: int = 1) -> Cases:
    """Return the distinct cases of runs that are read together; their flaws play no part.

    A case may have as many rows as ``repeats`` or one of its runs declares. One with more is a
    duplicate: a rerun that nobody declared may have been made until it passed. One with fewer lacks
    a row, and has not passed.
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
    """Return what files say that have only totals: two of them may be about the same cases."""
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

    It is that of the distinct ids, sorted by their bytes in UTF-8, each followed by a newline:
    what ``LC_ALL=C sort -u ids.txt | sha256sum`` prints of a file with an id a line.
    """
    lines = sorted({f"{case_id}\n".encode("utf-8", "surrogatepass") for case_id in ids})
    return sha256(b"".join(lines)).hexdigest()


def describe(counts: Mapping[CaseOutcome, int]) -> str:
    """Return how many cases did not pass, and why: ``4 errored, 2 failed``; empty if all passed."""
    kinds = [outcome for outcome in _WORST_FIRST if outcome is not CaseOutcome.PASSED]
    return ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts.get(kind))
