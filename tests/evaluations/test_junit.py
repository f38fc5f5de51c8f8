"""JUnit reports of many runners, after an accident or by the hand of a cheater."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.reading import read_run


def report(*cases: str, attributes: str = "", score: Fraction | None = None) -> EvaluationRun:
    text = f"<testsuites><testsuite {attributes}>{''.join(cases)}</testsuite></testsuites>"
    return read_run(text.encode(), file_name="x", metric="faithfulness", score=score)


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        ("", CaseOutcome.PASSED),
        ("<system-out>x</system-out><properties/>", CaseOutcome.PASSED),
        ("<failure/>", CaseOutcome.FAILED),
        ("<error/>", CaseOutcome.ERRORED),
        ("<failure/><error/>", CaseOutcome.ERRORED),
        ("<skipped/>", CaseOutcome.SKIPPED),
        ("<flakyFailure/>", CaseOutcome.FLAKY),
        ("<flakyError/>", CaseOutcome.FLAKY),
        ("<failure/><rerunFailure/>", CaseOutcome.FAILED),
    ],
)
def test_a_child_decides_on_a_test_case(inside: str, outcome: CaseOutcome) -> None:
    run = report(f'<testcase classname="a" name="b">{inside}</testcase>')

    assert [row.outcome for row in run.rows] == [outcome]
    assert run.flaws == ()


@pytest.mark.parametrize(
    ("attribute", "outcome"),
    [
        ('status="run"', CaseOutcome.PASSED),
        ('status="passed"', CaseOutcome.PASSED),
        ('status="notrun"', CaseOutcome.SKIPPED),
        ('status="run" result="suppressed"', CaseOutcome.SKIPPED),
        ('status="fail"', CaseOutcome.FAILED),
        ('status="Error"', CaseOutcome.ERRORED),
        ('assertions="3"', CaseOutcome.PASSED),
        ('assertions="0"', CaseOutcome.UNCHECKED),
    ],
)
def test_an_attribute_may_say_that_a_test_case_did_not_pass(
    attribute: str, outcome: CaseOutcome
) -> None:
    assert report(f'<testcase name="b" {attribute}/>').rows[0].outcome is outcome


def test_a_child_that_junit_does_not_have_is_a_flaw() -> None:
    run = report('<testcase classname="a" name="b"><Failure/></testcase>')

    assert run.flaws == ("a test case has an element <Failure>, which is not of JUnit (case a::b)",)


def test_suites_may_be_in_each_other() -> None:
    text = """
        <testsuites tests="3" failures="1">
          <testsuite name="outer" tests="3" failures="1" errors="0" skipped="0">
            <testcase name="a"/>
            <testsuite name="inner" tests="2" failures="1">
              <testcase name="a"/>
              <testcase classname="c" name="b"><failure/></testcase>
            </testsuite>
          </testsuite>
        </testsuites>"""
    run = read_run(text.encode(), file_name="x")

    assert run.flaws == ()
    assert {row.case_id: row.outcome.value for row in run.rows} == {
        "outer::a": "passed",
        "inner::a": "passed",
        "c::b": "failed",
    }


def test_a_suite_may_count_its_own_cases_only() -> None:
    text = """
        <testsuite tests="1"><testcase name="a"/>
          <testsuite tests="1"><testcase name="b"/></testsuite>
        </testsuite>"""

    assert read_run(text.encode(), file_name="x").flaws == ()


@pytest.mark.parametrize(
    "attributes",
    [
        *('tests="3"', 'tests="1"', 'tests="-2"', 'tests="2.0"', 'tests="NaN"'),
        *('failures="1"', 'errors="1"', 'skipped="1"'),
    ],
)
def test_attributes_that_disagree_with_the_cases_are_flaws(attributes: str) -> None:
    run = report('<testcase name="a"/>', '<testcase name="b"/>', attributes=attributes)

    assert len(run.flaws) == 1
    assert "a suite says " in run.flaws[0]


def test_a_failure_that_was_taken_out_is_seen_by_the_totals() -> None:
    run = report('<testcase name="a"/>', attributes='tests="1" failures="1"')

    assert run.flaws == ("a suite says failures='1', and the cases in it are 0",)


def test_a_case_in_a_namespace_is_a_case() -> None:
    text = (
        '<j:testsuite xmlns:j="urn:j"><j:testcase name="a"><j:failure/></j:testcase></j:testsuite>'
    )

    assert read_run(text.encode(), file_name="x").rows[0].outcome is CaseOutcome.FAILED


def test_a_bare_case_without_a_name_is_not_a_case() -> None:
    run = report("<testcase/>", '<testcase name="a"/>', '<testcase classname="b"/>')

    assert [row.case_id for row in run.rows] == ["a"]
    assert run.flaws == ("it has a test case without a name, as interrupted runs have",)


def test_a_time_without_a_zone_is_the_earliest_that_it_can_be() -> None:
    with_zone = report(attributes='timestamp="2026-11-28T22:54:11+01:00"')
    without = report(attributes='timestamp="2026-11-28T22:54:11"')

    assert (with_zone.started_at, with_zone.zoned) == (
        datetime(2026, 11, 28, 21, 54, 11, tzinfo=UTC),
        True,
    )
    assert (without.started_at, without.zoned) == (
        datetime(2026, 11, 28, 8, 54, 11, tzinfo=UTC),
        False,
    )


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-28", "0001-01-01T00:00:00+10:00"])
def test_what_is_not_an_instant_is_not_a_time(time: str) -> None:
    assert report(attributes=f'timestamp="{time}"').started_at is None


@pytest.mark.parametrize(
    ("value", "bar", "outcome"),
    [
        ("0.95", "0.95", CaseOutcome.PASSED),
        ("0.9499", "0.95", CaseOutcome.FAILED),
        ("1", "0.95", CaseOutcome.PASSED),
        ("-1", "0.95", CaseOutcome.UNSCORED),
        ("NaN", "0.95", CaseOutcome.UNSCORED),
        ("high", "0.95", CaseOutcome.UNSCORED),
    ],
)
@pytest.mark.parametrize("name", ["score", "faithfulness"])
def test_a_property_is_the_score_where_the_policy_has_a_bar(
    name: str, value: str, bar: str, outcome: CaseOutcome
) -> None:
    inside = f'<properties><property name="{name}" value="{value}"/></properties>'
    run = report(f'<testcase name="a">{inside}</testcase>', score=Fraction(bar))

    assert run.rows[0].outcome is outcome


def test_a_failed_test_case_passes_by_no_score() -> None:
    inside = '<failure/><properties><property name="score" value="1"/></properties>'

    assert report(f'<testcase name="a">{inside}</testcase>', score=Fraction(1, 2)).rows[
        0
    ].outcome is (CaseOutcome.FAILED)


def test_a_bar_needs_scores() -> None:
    run = report('<testcase name="a"/>', score=Fraction(1, 2))

    assert run.flaws == ("the policy asks for a `score`, and test cases have none (case a)",)
    assert run.rows[0].outcome is CaseOutcome.UNSCORED


def test_a_repeat_of_promptfoo_is_the_same_case() -> None:
    text = """
        <testsuites name="promptfoo"><testsuite name="p">
          <testcase classname="p" name="test 1: q-001"/>
          <testcase classname="p" name="test 2: q-001"/>
          <testcase classname="p" name="test 3"/>
        </testsuite></testsuites>"""
    run = read_run(text.encode(), file_name="x")

    assert [row.case_id for row in run.rows] == ["q-001", "q-001", "p::test 3"]


def test_a_suite_may_name_its_commit() -> None:
    commit = "46c34f6b8f3fe90c303ccc3e1cca1a21079c6849"
    label = f'<properties><property name="git.sha" value="{commit}"/></properties>'
    inside = '<testcase name="a"><properties><property name="commit" value="abcdefa"/></properties>'

    assert report(label, '<testcase name="a"/>').commit == commit
    assert report(f"{inside}</testcase>").commit is None
    two = f"<testsuite>{label.replace('46c', '56c')}</testsuite>"
    assert "it names two commits" in report(label, two, '<testcase name="a"/>').flaws[0]


def test_a_case_may_have_a_failure_and_an_error() -> None:
    case = '<testcase name="a"><failure/><failure/><error/></testcase>'
    run = report(case, attributes='tests="1" failures="1" errors="1"')

    assert (run.rows[0].outcome, run.flaws) == (CaseOutcome.ERRORED, ())


def test_suites_of_one_run_are_not_days_apart() -> None:
    times = ("2026-11-28T22:54:11Z", "2026-11-30T22:54:11Z")
    suites = [
        f'<testsuite timestamp="{time}"><testcase name="{time}"/></testsuite>' for time in times
    ]
    run = read_run(f"<testsuites>{''.join(suites)}</testsuites>".encode(), file_name="x")

    assert run.flaws == ("its times contradict each other",)


@pytest.mark.parametrize(
    ("child", "clause"),
    [
        ("<error/>", "a suite itself has a <error>"),
        ("<failure/>", "a suite itself has a <failure>"),
        ("<group><testcase name='c'/></group>", "test cases in an element <group>"),
        ("<group><a><skipped/></a></group>", "test cases in an element <group>"),
    ],
)
def test_what_a_suite_has_beside_its_test_cases_may_be_a_flaw(child: str, clause: str) -> None:
    run = report('<testcase name="b"/>', child)

    (flaw,) = run.flaws
    assert clause in flaw


def test_elements_of_a_suite_that_are_not_a_test_cases_are_left_out() -> None:
    run = report('<testcase name="b"/>', "<properties/><system-err/><console><line/></console>")

    assert run.flaws == ()


@pytest.mark.parametrize(
    ("properties", "clause"),
    [
        (("1", "1.0"), "two scores"),
        (("1", "1"), None),
        (("nan",), "have none"),
        ((), "have none"),
    ],
)
def test_a_test_case_has_one_score(properties: tuple[str, ...], clause: str | None) -> None:
    inside = "".join(f'<property name="score" value="{value}"/>' for value in properties)

    run = report(f'<testcase name="b"><p>{inside}</p></testcase>', score=Fraction(1))

    flaws = [flaw for flaw in run.flaws if "<p>" not in flaw]
    assert (clause is None and not flaws) or (clause is not None and clause in str(flaws))


def test_a_number_of_thousands_of_digits_is_not_the_number_of_test_cases() -> None:
    run = report('<testcase name="b"/>', attributes=f'tests="{"1" * 5000}"')

    assert run.flaws == (f"a suite says tests='{'1' * 20}', and the cases in it are 1",)
