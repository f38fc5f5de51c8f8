"""Ragas' tables after an accident or by the hand of a cheater."""

import json
from fractions import Fraction
from typing import Any

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun, UnreadableResultsError
from gate.evaluations.cases import cases_of
from gate.evaluations.reading import read_run
from tests.evaluations.honest import content, outcomes, run_of


def table(*rows: str, header: str = "user_input,response,m", **more: Any) -> EvaluationRun:
    text = "".join(f"{line}\n" for line in (header, *rows))
    return read_run(text.encode(), file_name="x", **{"metric": "m", **more})


@pytest.mark.parametrize(
    ("cell", "outcome", "clause"),
    [
        ("1.0", CaseOutcome.PASSED, None),
        ("1", CaseOutcome.PASSED, None),
        ("0.0", CaseOutcome.FAILED, None),
        ("", CaseOutcome.UNSCORED, None),
        ("NaN", CaseOutcome.UNSCORED, None),
        ("nan", CaseOutcome.UNSCORED, None),
        ("0.83", CaseOutcome.FAILED, "the policy has no `score`"),
        ("2", CaseOutcome.FAILED, "the policy has no `score`"),
        ("-0.5", CaseOutcome.UNSCORED, "negative"),
        ("inf", CaseOutcome.UNSCORED, "not a finite number"),
        ("1e999", CaseOutcome.UNSCORED, "not a finite number"),
        ("pass", CaseOutcome.UNSCORED, "not a finite number"),
        ("True", CaseOutcome.UNSCORED, "not a finite number"),
        ("\uff11", CaseOutcome.UNSCORED, "not a finite number"),  # a digit of Japanese texts
    ],
)
def test_a_cell_is_a_pass_only_where_it_is_the_full_score(
    cell: str, outcome: CaseOutcome, clause: str | None
) -> None:
    run = table(f"q,a,{cell}")

    assert run.rows[0].outcome is outcome
    assert len(run.flaws) == (0 if clause is None else 1)
    assert (clause or "") in "".join(run.flaws)


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [("0.83", CaseOutcome.PASSED), ("0.8", CaseOutcome.PASSED), ("0.79", CaseOutcome.FAILED)],
)
def test_the_bar_is_that_of_the_policy(cell: str, outcome: CaseOutcome) -> None:
    run = table(f"q,a,{cell}", score=Fraction(8, 10))

    assert (run.rows[0].outcome, run.flaws) == (outcome, ())


def test_a_column_that_the_table_lacks_is_named_beside_those_that_it_has() -> None:
    run = table("q,a,1", metric="faithfulness")

    assert run.flaws == ("there is no metric 'faithfulness' in it: it has m",)
    assert run.rows[0].outcome is CaseOutcome.UNSCORED


def test_every_metric_counts_where_all_do() -> None:
    header = "user_input,response,m,n"

    assert outcomes(table("q,a,1,1", "p,a,1,0", header=header, metric=None)) == {
        "passed": 1,
        "failed": 1,
    }
    assert outcomes(table("q,a,1,1", "p,a,1,0", header=header)) == {"passed": 2}


def test_a_metric_of_which_little_is_good_has_no_bar_to_reach() -> None:
    header = "user_input,response,noise_sensitivity(mode=relevant)"
    run = table("q,a,1", header=header, metric="noise_sensitivity(mode=relevant)")

    assert "a low noise_sensitivity(mode=relevant) is good" in run.flaws[0]


def test_the_same_question_twice_is_the_same_case() -> None:
    assert cases_of([table("q,a,1", "q,b,1")]).duplicates == ("q",)


def test_a_table_without_rows_is_flawed() -> None:
    assert table().flaws == ("it has no rows",)


@pytest.mark.parametrize("question", [None, False, 1, {}, ""])
def test_a_row_without_a_question_has_no_id(question: Any) -> None:
    records = [{"user_input": [{"content": "hi"}], "m": 1}, {"user_input": question, "m": 1}]
    run = read_run(json.dumps(records).encode(), file_name="x")

    assert [row.case_id for row in run.rows] == ['[{"content":"hi"}]', None]


def test_a_row_of_json_may_lack_a_metric() -> None:
    records = [{"user_input": "q", "m": 1}, {"user_input": "p"}]
    run = read_run(json.dumps(records).encode(), file_name="x", metric="m")

    assert outcomes(run) == {"passed": 1, "unscored": 1}
    assert run.flaws == ("rows lack the metric 'm' (case p)",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("user_input,response,m\nq,a\n", "not as long as its header"),
        ("user_input,response,m\nq,a,1\n\n", "not as long as its header"),
        ("user_input,response,m\nq,a,1.0", "last line is not complete"),
        ("user_input,m,m\nq,1,0\n", "two of its columns have one name"),
        ("question,answer\nq,a\n", "not the result file of a tool"),
        ('user_input,m\n"q,1\n', "not the result file of a tool"),
        ("plain text\n", "not the result file of a tool"),
        ('[{"m": "1"}]', "not the result file of a tool"),
        ('[{"m": true}]', "not the result file of a tool"),
        ('{"user_input": {"0": "q"}, "m": {}}', "its columns are not of one length"),
        ('{"user_input": {"0": "q"}, "m": 1}', "not the result file of a tool"),
        ('{"user_input": {}, "m": {}}', "not the result file of a tool"),
        ("[{}]", "not the result file of a tool"),
        ("[1]", "not the result file of a tool"),
        ('[{"m": 1}]\n[{"m": 1}]', "not complete JSON"),
        ('[{"user_input": "q", "response": "a"}]', "not the result file of a tool"),
    ],
)
def test_what_is_not_a_whole_table_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableResultsError, match=reason):
        read_run(text.encode(), file_name="x")


def test_the_index_of_pandas_is_not_a_metric() -> None:
    assert table("0,q,a,1", header=",user_input,response,m").metrics == ("m",)


def test_a_long_cell_is_read() -> None:
    assert outcomes(table(f"q,{'x' * 200_000},1")) == {"passed": 1}


def test_a_table_and_its_json_say_the_same() -> None:
    name = "exact_match"

    assert run_of("ragas/errors.csv", name).rows == run_of("ragas/errors.json", name).rows


@pytest.mark.parametrize("orient", ["columns", "lines"])
def test_every_way_in_which_pandas_writes_json_says_the_same(orient: str) -> None:
    records = json.loads(content("ragas/errors.json"))
    columns = {
        name: {str(place): record[name] for place, record in enumerate(records)}
        for name in records[0]
    }
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    text = json.dumps(columns) if orient == "columns" else lines
    run = read_run(text.encode(), file_name="x", metric="exact_match")

    assert run.rows == run_of("ragas/errors.json", "exact_match").rows


def test_scores_alone_have_no_cases_to_count() -> None:
    cases = cases_of([run_of("ragas/pass.scores.json", "exact_match")])

    assert (cases.passed, cases.total) == (196, 200)
    assert cases.doubts == ("200 rows have no id, so that distinct cases cannot be counted",)


def test_a_table_that_ends_early_has_fewer_passes() -> None:
    whole = content("ragas/pass.csv")
    lines = whole.splitlines(keepends=True)
    run = read_run(b"".join(lines[:51]), file_name="x", metric="exact_match")

    assert cases_of([run]).total == 50  # nothing in a table says how long it should be


def test_records_may_be_lines() -> None:
    records = json.loads(content("ragas/errors.json"))
    lines = "".join(f"{json.dumps(record)}\n" for record in records)

    run = read_run(lines.encode(), file_name="x", metric="exact_match")

    assert run.tool == "ragas"
    assert run.rows == run_of("ragas/errors.json", "exact_match").rows


def test_a_line_that_is_of_no_table_makes_a_file_unknown() -> None:
    line = json.dumps(json.loads(content("ragas/small.json"))[0])

    with pytest.raises(UnreadableResultsError, match="not the result file of a tool"):
        read_run(f'{line}\n{{"x": "y"}}\n[1]\n'.encode(), file_name="x", metric="exact_match")
