"""The comparison of two runs of one evaluation, case by case."""

from collections.abc import Mapping
from fractions import Fraction
from math import comb
from typing import Final

from gate.dataclass import dataclass
from gate.evaluations import CaseOutcome
from gate.policy.requirements import RequirementState
from gate.wording import rounded

_ALPHA: Final = Fraction(1, 20)
_COMPARED: Final = Fraction(1, 2)
"""The share of the cases that the base must have. Cases are added to a golden set now and then; if
most are new, or the passing ones of the base were left out, the comparison says little."""
_NAMED: Final = 3
"""The maximum number of cases that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """The outcomes of a change's cases, compared with those of its base."""

    state: RequirementState
    reason: str
    facts: Mapping[str, int | float]


def compare(
    before: Mapping[str, CaseOutcome], after: Mapping[str, CaseOutcome]
) -> PairedComparison:
    """Return whether a change is worse than its base, by McNemar's test on the same cases.

    Only the cases with different outcomes count. If the change is not worse, each of them is a
    regression with a probability of at most one half. The test is one-sided and exact, at 5%.
    Source: Q. McNemar, Psychometrika 12 (1947), 153-157.

    Args:
        before: the outcomes of the base, by case.
        after: the outcomes of the change, which may have more cases.
    """
    missing = sorted(before.keys() - after.keys())
    if not before:
        return _undecided("the base has no cases with ids to compare with")
    if missing:
        rest = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        are = "cases of the base are" if len(missing) > 1 else "case of the base is"
        return _undecided(
            f"{len(missing):,} {are} missing ({', '.join(missing[:_NAMED])}{rest}); run all of them"
        )
    if len(before) < _COMPARED * len(after):
        return _undecided(
            f"the base has {len(before):,} of the {len(after):,} cases, and at least half of them"
            " are needed to compare; run all of them on the base, too"
        )
    passed = {
        case: (outcome is CaseOutcome.PASSED, after[case] is CaseOutcome.PASSED)
        for case, outcome in before.items()
    }
    worse = sorted(case for case, pair in passed.items() if pair == (True, False))
    better = sum(pair == (False, True) for pair in passed.values())
    chance = tail(len(worse), better)
    facts = {
        "compared": len(before),
        "regressions": len(worse),
        "improvements": better,
        "p_value": float(chance),
    }
    lead = _lead(len(before), len(worse), better)
    if len(worse) <= better:
        reason, state = f"{lead}: not worse", RequirementState.MET
    elif chance <= _ALPHA:
        rest = ", ..." if len(worse) > _NAMED else ""
        reason = f"{lead}: worse (p = {rounded(chance)}; {', '.join(worse[:_NAMED])}{rest})"
        state = RequirementState.NOT_MET
    else:
        reason = (
            f"{lead}: not enough cases to know whether it is worse (p = {rounded(chance)}); mend"
            f" what fails now ({', '.join(worse[:_NAMED])}{', ...' * (len(worse) > _NAMED)}), or"
            " run more cases"
        )
        state = RequirementState.UNDECIDED
    return PairedComparison(state=state, reason=reason, facts=facts)


def _lead(compared: int, worse: int, better: int) -> str:
    cases = "1 case" if compared == 1 else f"{compared:,} cases"
    fail = "1 fails" if worse == 1 else f"{worse:,} fail"
    passes = "1 passes" if better == 1 else f"{better:,} pass"
    return f"of {cases} of the base, {fail} now and {passes} now"


def tail(worse: int, better: int) -> Fraction:
    """Return the probability of this number of regressions or more among all differences."""
    differing = worse + better
    ways = term = comb(differing, worse)
    for many in range(worse, differing):
        term = term * (differing - many) // (many + 1)
        ways += term
    return Fraction(ways, 2**differing)


def _undecided(reason: str) -> PairedComparison:
    return PairedComparison(state=RequirementState.UNDECIDED, reason=reason, facts={})
