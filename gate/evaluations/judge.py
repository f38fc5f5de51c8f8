"""Whether the results of an evaluation meet what a policy requires.

The share is the number of distinct cases that passed, divided by that of all distinct cases. It is
compared exactly if the policy says how many cases are enough, otherwise by its 95% interval.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.budget.ratio import samples_needed, wilson_interval
from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.binding import (
    SHOWN,
    CannotTellError,
    ChangeUnderTest,
    ResultFile,
    check_time,
    files_about,
    flawed,
    is_about,
)
from gate.evaluations.cases import Cases, case_digest, cases_of, describe
from gate.evaluations.paired import compare
from gate.policy.requirements import EvaluationRequirement, RequirementResult, RequirementState
from gate.wording import percent, percent_left, rounded

_NAMED: Final = 3
"""The maximum number of cases that a sentence names."""
_Figures = dict[str, str | int | float | None]


def judge(
    requirement: EvaluationRequirement,
    files: Sequence[ResultFile],
    base_files: Sequence[ResultFile],
    change: ChangeUnderTest,
    at: datetime,
) -> RequirementResult:
    """Return whether the results meet the requirement.

    Args:
        requirement: the requirement of the policy.
        files: all files that match its ``files``.
        base_files: the files with the results of the base, in ``files`` or separate; only used for
            a comparison.
        change: the commit that they must be about.
        at: the instant of the decision.
    """
    facts: _Figures = {"at_least": float(requirement.at_least)}
    bases = change.bases if requirement.not_worse_than_base else ()
    try:
        used, aside = files_about(change.revision, files, bases)
        cases = _cases(requirement, used, at)
    except CannotTellError as error:
        return RequirementResult(state=RequirementState.UNDECIDED, reason=str(error), facts=facts)
    facts |= _facts(cases, used, aside)
    parts = [_share(requirement, cases, facts)]
    if requirement.not_worse_than_base:
        try:
            parts.append(_against_base(requirement, base_files, cases, change, facts))
        except CannotTellError as error:
            parts.append((RequirementState.UNDECIDED, str(error)))
    state = max((state for state, _ in parts), key=lambda part: part.verdict.severity)
    reason = "; ".join(sentence for _, sentence in parts)
    if aside:
        reason += f"; {_files(aside)} about other commits not counted"
    return RequirementResult(state=state, reason=reason, facts=facts)


def _cases(requirement: EvaluationRequirement, files: Sequence[ResultFile], at: datetime) -> Cases:
    """Return the distinct cases of all files together.

    Raises:
        CannotTellError: they cannot be relied on, or are not the cases in the policy.
    """
    runs = [file.run for file in files if file.run is not None]
    for file, run in zip(files, runs, strict=True):
        if run.flaws:
            raise CannotTellError(f"{file.name}: {flawed(run)}")
        check_time(requirement, file, at)
    cases = cases_of(runs, requirement.repeats)
    if cases.doubts:
        raise CannotTellError("; ".join(cases.doubts))
    if not cases.total:
        raise CannotTellError(f"there are no cases in {_listed(files)}")
    _check_ids(requirement, cases, runs)
    return cases


def _check_ids(
    requirement: EvaluationRequirement, cases: Cases, runs: Sequence[EvaluationRun]
) -> None:
    wanted, digest, there = requirement.case_ids, requirement.case_digest, cases.outcomes.keys()
    if wanted is not None:
        if not there:
            raise CannotTellError("the file has only totals, so that its cases are not known")
        missing, more = sorted(wanted - there), sorted(there - wanted)
        if missing or more:
            parts = [
                f"{len(ids)} of the policy's cases missing ({_some(ids)})" * (ids is missing)
                or f"{len(ids)} unexpected ({_some(ids)})"
                for ids in (missing, more)
                if ids
            ]
            raise CannotTellError(f"these are not the cases of the policy: {', '.join(parts)}")
    elif digest is not None:
        tools = {each for run in runs for each in run.digests.values()}
        if digest not in ({case_digest(there)} if there else tools):
            raise CannotTellError(
                "these are not the cases of the policy: the hash of their ids is"
                f" {case_digest(there) if there else ', '.join(sorted(tools)) or 'not known'}"
            )


def _share(
    requirement: EvaluationRequirement, cases: Cases, facts: _Figures
) -> tuple[RequirementState, str]:
    """Return the result of comparing the share of passed cases with the threshold."""
    total, passed, bar = cases.total, cases.passed, requirement.at_least
    share, (low, high) = Fraction(passed, total), wilson_interval(Fraction(passed), Fraction(total))
    facts |= {"share": float(share), "low": float(low), "high": float(high)}
    interval = f"95% interval {rounded(low)} to {rounded(high)}"
    lead = f"{passed:,} of {total:,} cases passed ({percent_left(share)}, {interval})"
    failed = {kind for kind, count in cases.counts.items() if count} - {CaseOutcome.PASSED}
    tail = f"; {describe(cases.counts)}" if failed - {CaseOutcome.FAILED} else ""
    at_least = percent(bar)
    if requirement.cases is not None:
        if total < requirement.cases:
            return RequirementState.UNDECIDED, (
                f"{lead}{tail}, and the policy requires {requirement.cases:,} distinct cases; run"
                " all of them"
            )
        low = high = share
    if low >= bar:
        return RequirementState.MET, f"{lead}, at least {at_least}{tail}"
    if high < bar:
        return RequirementState.NOT_MET, f"{lead}, less than {at_least}{tail}"
    needed = samples_needed(share, bar)
    enough = "no number of cases" if needed is None else f"about {needed:,} cases"
    return RequirementState.UNDECIDED, (
        f"{lead}{tail}, which has {at_least} inside: not enough cases; {enough} at this share"
        " would be enough"
    )


def _against_base(
    requirement: EvaluationRequirement,
    files: Sequence[ResultFile],
    cases: Cases,
    change: ChangeUnderTest,
    facts: _Figures,
) -> tuple[RequirementState, str]:
    """Return whether the change is shown not to be worse than its base, case by case.

    Raises:
        CannotTellError: the base has no results, or they cannot be relied on.
    """
    if not change.bases:
        raise CannotTellError(f"there is nothing to compare with: {change.no_base}")
    for base in change.bases:
        if any(file.commit is not None and is_about(file.commit, base) for file in files):
            break
    used = [file for file in files if file.commit is None or is_about(file.commit, base)]
    used, _ = files_about(base, used, ())
    runs = [file.run for file in used if file.run is not None]
    for file, run in zip(used, runs, strict=True):
        if run.flaws:
            raise CannotTellError(f"{file.name}: {'; '.join(run.flaws)}")
    before = cases_of(runs, requirement.repeats)
    if before.doubts:
        raise CannotTellError(f"of the base: {'; '.join(before.doubts)}")
    compared = compare(before.outcomes, cases.outcomes)
    facts |= {"base": base, **compared.facts}
    return compared.state, f"{compared.reason} (base {base[:SHOWN]})"


def _facts(cases: Cases, files: Sequence[ResultFile], aside: int) -> _Figures:
    times = [file.ran_at for file in files if file.ran_at is not None]
    counts: Mapping[str, int] = {str(kind): count for kind, count in cases.counts.items() if count}
    return {
        "cases": cases.total,
        **counts,
        "passed": cases.passed,
        "file": ", ".join(file.name for file in files),
        "tool": ", ".join(sorted({file.run.tool for file in files if file.run is not None})),
        "commit": files[0].commit,
        "ran_at": min(times).isoformat().replace("+00:00", "Z") if times else None,
        "case_digest": case_digest(cases.outcomes) if cases.outcomes else None,
        "files_of_other_commits": aside,
    }


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _listed(files: Sequence[ResultFile]) -> str:
    return ", ".join(file.name for file in files)


def _some(ids: Sequence[str]) -> str:
    rest = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return f"{', '.join(ids[:_NAMED])}{rest}"
