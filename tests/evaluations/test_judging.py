"""Whether results meet a requirement: which files count, how old they are, and the bar."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest

from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun, Tally
from gate.evaluations.binding import ChangeUnderTest, ResultFile
from gate.evaluations.cases import case_digest
from gate.evaluations.judge import judge
from gate.evaluations.paired import compare, tail
from gate.policy.requirements import EvaluationRequirement, RequirementResult, RequirementState

MET, NOT_MET, UNDECIDED = (
    RequirementState.MET,
    RequirementState.NOT_MET,
    RequirementState.UNDECIDED,
)
AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
REVISION, BASE, OTHER = "a1" * 20, "b2" * 20, "c3" * 20
CHANGE = ChangeUnderTest(revision=REVISION, bases=(BASE,))
ASKED = EvaluationRequirement(
    name="faithfulness", files=("evals/*.json",), at_least=Fraction(95, 100)
)


def rows(passed: int, failed: int = 0, errored: int = 0, first: int = 0) -> tuple[CaseRow, ...]:
    """Rows of different cases, in this order."""
    outcomes = [
        *[CaseOutcome.PASSED] * passed,
        *[CaseOutcome.FAILED] * failed,
        *[CaseOutcome.ERRORED] * errored,
    ]
    return tuple(
        CaseRow(case_id=f"q-{place:03}", outcome=outcome)
        for place, outcome in enumerate(outcomes, start=first)
    )


def file(
    made: Iterable[CaseRow] = rows(200),
    *,
    name: str = "evals/x.json",
    commit: str | None = REVISION,
    ran_at: datetime | None = AT - timedelta(hours=1),
    flaw: str | None = None,
    **run: Any,
) -> ResultFile:
    made_run = EvaluationRun(tool="promptfoo", rows=tuple(made), **run)
    return ResultFile(name=name, run=made_run, commit=commit, ran_at=ran_at, flaw=flaw)


def judged(
    *files: ResultFile, change: ChangeUnderTest = CHANGE, at: datetime = AT, **asked: Any
) -> RequirementResult:
    return judge(replace(ASKED, **asked), files, files, change, at)


@pytest.mark.parametrize(
    ("made", "state", "reason"),
    [
        (
            rows(190, 10),
            MET,
            "190 of 200 cases passed (95.0%, 95% interval 91.0% to 97.3%), at least 95%",
        ),
        (
            rows(189, 7, 4),
            NOT_MET,
            "189 of 200 cases passed (94.5%, 95% interval 90.4% to 96.9%), less than 95%;"
            " 4 errored, 7 failed",
        ),
        (
            rows(199),
            UNDECIDED,
            "199 of 199 cases passed (100.0%, 95% interval 98.1% to 100.0%), and the policy"
            " requires 200 distinct cases; run all of them",
        ),
        (rows(949, 51), NOT_MET, None),
        (rows(950, 50), MET, None),
    ],
)
def test_with_enough_cases_the_share_itself_is_compared(
    made: tuple[CaseRow, ...], state: RequirementState, reason: str | None
) -> None:
    result = judged(file(made), cases=200)
    assert result.state is state
    assert reason in {None, result.reason}


# Of 200 the Wilson interval of 196 begins at 94.97%, of 197 at 95.69%; of 182 it ends at 94.2%,
# and of 184 at 95.03% (R: binom.confint(x, 200, methods = "wilson")).
@pytest.mark.parametrize(
    ("passed", "state"), [(197, MET), (196, UNDECIDED), (184, UNDECIDED), (182, NOT_MET)]
)
def test_without_a_number_of_cases_the_interval_decides(
    passed: int, state: RequirementState
) -> None:
    assert judged(file(rows(passed, 200 - passed))).state is state


def test_where_there_are_not_enough_cases_it_is_reported_how_many_would_do() -> None:
    # z^2 p (1 - p) / (q - p)^2 = 3.8415 x 0.95 x 0.05 / 0.03^2 = 202.7
    reason = judged(file(rows(196, 4))).reason
    assert reason.endswith("not enough cases; about 203 cases at this share would be enough")
    even = judged(file(rows(95, 5))).reason
    assert even.endswith("no number of cases at this share would be enough")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ((), "no result file is about a1a1a1a1a1a1; run the evaluation on that commit"),
        ((file(commit=OTHER),), "evals/x.json (c3c3c3c3c3c3) is about another commit; run the"),
        (
            tuple(file(name=name, commit=OTHER) for name in "abcd"),
            "a (c3c3c3c3c3c3), b (c3c3c3c3c3c3), c (c3c3c3c3c3c3) and 1 more are about other",
        ),
        (
            (file(), file(name="y", commit=None)),
            "y does not say which commit it is about; run gate",
        ),
        (
            (file(commit=None, flaws=("it names two commits: a and b",)),),
            "evals/x.json: it names two commits: a and b; run the evaluation again",
        ),
        (
            (file(commit=None, commit_note="the checkout had other changes"),),
            "evals/x.json is not bound to a commit (the checkout had other changes); run gate",
        ),
        ((file(commit=REVISION[:6]),), "no result file is about"),
        ((file(commit=""),), "no result file is about"),
        ((file(), file(name="y", commit=None, flaw="it is empty")), "y: it is empty"),
        ((file(flaw="it is the change's own"),), "evals/x.json: it is the change's own"),
        ((file(flaws=("it is not finished",)),), "it is not finished; run the evaluation again"),
        (
            (file(flaws=("there is no metric 'f' in it: it has g",)),),
            "it has g; name another metric in the requirement, or run the evaluation again",
        ),
        ((file(()),), "there are no cases in evals/x.json"),
        ((file(rows(200) + rows(1)),), "cases have more rows than are declared (q-000)"),
        ((file(), file(name="y")), "cases have more rows than are declared (q-000, q-001, q-002"),
        ((file((CaseRow(case_id=None, outcome=CaseOutcome.PASSED),)),), "1 rows have no id"),
        ((file(ran_at=AT + timedelta(minutes=6)),), "is later than this check"),
    ],
)
def test_what_does_not_tell_is_undecided(files: tuple[ResultFile, ...], reason: str) -> None:
    result = judged(*files, cases=1)
    assert result.state is UNDECIDED
    assert reason in result.reason


def test_without_a_commit_of_the_change_nothing_can_be_about_it() -> None:
    result = judged(file(), change=ChangeUnderTest(revision=None))
    assert (result.state, result.facts) == (UNDECIDED, {"at_least": 0.95})
    assert "commit that would ship is unknown" in result.reason


@pytest.mark.parametrize("commit", [REVISION, REVISION[:7], REVISION[:12]])
def test_a_commit_may_be_abbreviated_as_git_does(commit: str) -> None:
    assert judged(file(commit=commit)).state is MET


def test_files_about_other_commits_are_set_aside_and_counted() -> None:
    others = [file(name=name, commit=OTHER, ran_at=None, flaw="whatever") for name in "yz"]
    result = judged(file(), *others)
    assert result.state is MET
    assert result.reason.endswith("; 2 files about other commits not counted")
    assert judged(file(), others[0]).reason.endswith("; 1 file about other commits not counted")
    assert result.facts["files_of_other_commits"] == 2


def test_files_about_this_commit_are_read_together() -> None:
    parts = file(rows(100), name="a"), file(rows(90, 10, first=100), name="b")
    result = judged(*parts, cases=200)
    assert (result.state, result.facts["file"], result.facts["passed"]) == (MET, "a, b", 190)


def test_a_case_passes_only_if_each_of_its_rows_does() -> None:
    again = (*rows(199), CaseRow(case_id="q-199", outcome=CaseOutcome.FAILED))
    result = judged(file(), file(again, name="y"), repeats=2, cases=200)
    assert (result.facts["cases"], result.facts["passed"]) == (200, 199)
    lacking = judged(file(), repeats=2, cases=200)
    assert (lacking.state, lacking.facts["passed"]) == (NOT_MET, 0)


@pytest.mark.parametrize(
    ("age", "state"), [("24h", MET), ("24h0m1s", UNDECIDED), (None, UNDECIDED), ("-5m", MET)]
)
def test_the_run_must_be_recent_where_the_policy_says_so(
    age: str | None, state: RequirementState
) -> None:
    ages = {"24h": 86_400, "24h0m1s": 86_401, "-5m": -300}
    ran_at = None if age is None else AT - timedelta(seconds=ages[age])
    result = judged(file(ran_at=ran_at), max_age=timedelta(hours=24))
    assert result.state is state
    if age == "24h0m1s":
        assert "ran at 2026-11-28 11:59 UTC, more than max_age (1d) ago; run it" in result.reason


def test_without_a_limit_a_file_needs_no_time() -> None:
    result = judged(file(ran_at=None))
    assert (result.state, result.facts["ran_at"]) == (MET, None)
    assert judged(file()).facts["ran_at"] == "2026-11-29T11:00:00Z"


IDS = frozenset(f"q-{place:03}" for place in range(200))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (rows(199), "1 of the policy's cases missing (q-199)"),
        (rows(201), "1 unexpected (q-200)"),
        (rows(195, first=100), "100 of the policy's cases missing (q-000, q-001, q-002 and 97 more)"
         ", 95 unexpected (q-200, q-201, q-202 and 92 more)"),
    ],
)  # fmt: skip
def test_the_policy_can_name_the_cases(made: tuple[CaseRow, ...], reason: str) -> None:
    assert judged(file(), case_ids=IDS).state is MET
    result = judged(file(made), case_ids=IDS)
    assert result.state is UNDECIDED
    assert result.reason == f"these are not the cases of the policy: {reason}"
    pinned = judged(file(made), case_digest=case_digest(IDS))
    assert (pinned.state, judged(file(), case_digest=case_digest(IDS)).state) == (UNDECIDED, MET)
    assert case_digest(row.case_id or "" for row in made) in pinned.reason


def test_a_file_of_totals_shows_its_cases_only_by_the_hash_of_its_tool() -> None:
    totals = file((), tally=Tally(cases=200, passed=199), digests={"sums": "f" * 64})
    assert judged(totals).state is MET
    assert judged(totals, case_digest="f" * 64).state is MET
    assert judged(totals, case_digest="e" * 64).state is UNDECIDED
    named = judged(totals, case_ids=IDS)
    assert (named.state, "only totals" in named.reason) == (UNDECIDED, True)
    unknown = judged(file((), tally=Tally(cases=9, passed=9)), case_digest="e" * 64)
    assert "is not known" in unknown.reason


def outcomes(passed: int, failed: int) -> dict[str, CaseOutcome]:
    return {row.case_id or "": row.outcome for row in rows(passed, failed)}


# Nine regressions and one improvement: (10 + 1) / 2^10 = 1.07%; four and none: 1/16 = 6.25%; five
# and none: 1/32 = 3.1%.
@pytest.mark.parametrize(
    ("worse", "better", "state"),
    [
        *((9, 1, NOT_MET), (5, 0, NOT_MET), (4, 0, UNDECIDED)),
        *((3, 3, MET), (0, 0, MET), (8, 7, UNDECIDED)),
    ],
)
def test_a_change_is_compared_with_its_base_case_by_case(
    worse: int, better: int, state: RequirementState
) -> None:
    before = rows(150 - better, 0) + rows(0, better, first=150 - better) + rows(50, first=150)
    after = rows(200 - worse) + rows(0, worse, first=200 - worse)
    files = file(after), file(before, name="base.json", commit=BASE)
    result = judged(*files, at_least=Fraction(1, 10), not_worse_than_base=True)
    assert result.state is state
    assert (result.facts["regressions"], result.facts["improvements"]) == (worse, better)
    passes = "1 passes" if better == 1 else f"{better} pass"
    assert f"of 200 cases of the base, {worse} fail now and {passes} now" in result.reason
    assert "not counted" not in result.reason


def test_the_chance_is_that_of_the_binomial_distribution() -> None:
    assert tail(0, 0) == 1
    for worse, better in ((3, 2), (9, 1), (40, 60), (1, 0)):
        ways = sum(comb(worse + better, many) for many in range(worse, worse + better + 1))
        assert tail(worse, better) == Fraction(ways, 2 ** (worse + better))


def test_what_the_base_had_must_be_there() -> None:
    missing = compare(outcomes(10, 0), outcomes(4, 0))
    assert missing.state is UNDECIDED
    assert missing.reason == (
        "6 cases of the base are missing (q-004, q-005, q-006 and 3 more); run all of them"
    )
    one = compare(outcomes(5, 0), outcomes(4, 0))
    assert one.reason == "1 case of the base is missing (q-004); run all of them"
    assert compare({}, outcomes(4, 0)).state is UNDECIDED
    assert compare(outcomes(4, 0), outcomes(6, 0)).state is MET


def test_a_base_with_few_of_the_cases_says_nothing() -> None:
    few = compare(outcomes(0, 2), outcomes(5, 0))
    assert few.state is UNDECIDED
    assert few.reason == (
        "the base has 2 of the 5 cases, and at least half of them are needed to compare; run all"
        " of them on the base, too"
    )
    assert compare(outcomes(0, 2), outcomes(4, 0)).state is MET
    assert compare(outcomes(1, 0), outcomes(0, 1)).reason.startswith(
        "of 1 case of the base, 1 fails now and 0 pass now"
    )


def test_the_worse_of_bar_and_base_counts() -> None:
    base = file(rows(200), name="base.json", commit=BASE)
    asked: dict[str, Any] = {"not_worse_than_base": True, "cases": 200}
    short = judged(file(rows(199)), base, **asked)
    assert short.state is UNDECIDED
    below = judged(file(rows(150, 50)), not_worse_than_base=True, cases=200)
    assert below.state is NOT_MET
    assert "no result file is about b2b2b2b2b2b2" in below.reason
    regressed = judged(file(rows(190, 10)), base, **asked)
    assert regressed.state is NOT_MET
    assert "at least 95%; of 200 cases of the base, 10 fail now" in regressed.reason
    assert regressed.reason.endswith(
        "worse (p = 0.1%; q-190, q-191, q-192, ...) (base b2b2b2b2b2b2)"
    )


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (file(name="b", commit=BASE, flaws=("it is not finished",)), "b: it is not finished"),
        (file(rows(9) + rows(1), name="b", commit=BASE), "of the base: cases have more rows"),
        (file(name="b", commit=BASE, flaw="it is the change's own"), "b: it is the change's own"),
    ],
)
def test_results_of_the_base_must_be_sound_as_well(base: ResultFile, reason: str) -> None:
    result = judged(file(), base, not_worse_than_base=True)
    assert result.state is UNDECIDED
    assert reason in result.reason


def test_without_a_base_nothing_is_compared() -> None:
    change = ChangeUnderTest(revision=REVISION, no_base="the base is not known; name it")
    result = judged(file(), change=change, not_worse_than_base=True)
    assert result.state is UNDECIDED
    assert "there is nothing to compare with: the base is not known; name it" in result.reason


def test_of_several_bases_the_first_with_results_counts() -> None:
    change = replace(CHANGE, bases=(OTHER, BASE))
    files = file(), file(name="base.json", commit=BASE)
    result = judged(*files, change=change, not_worse_than_base=True)
    assert (result.state, result.facts["base"]) == (MET, BASE)


def test_a_short_commit_that_names_both_is_refused() -> None:
    change = replace(CHANGE, bases=(f"{REVISION[:7]}{'0' * 33}",))
    result = judged(file(commit=REVISION[:7]), change=change, not_worse_than_base=True)
    assert result.state is UNDECIDED
    assert "is short for the base, too" in result.reason
