"""Doctored files of Ragas, which are tables, and of Evidently, lm-eval and Braintrust: totals."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from tests.evaluations.corpus.bases import (
    EVIDENTLY,
    EVIDENTLY_SNAPSHOT,
    LM_EVAL,
    LM_EVAL_DIGEST,
    LM_EVAL_SAMPLES,
    RAGAS,
    RAGAS_JSON,
)
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import OTHER_COMMIT, Scene

Json = Any
FAILED_TOTALS = "lmeval/fail/results_2026-11-28T22-56-39.755039.json"


def table(scene: Scene, change: Callable[[list[list[str]]], object]) -> None:
    """Change the rows of a CSV file, of which the first has the names of the columns."""
    rows = list(csv.reader(io.StringIO(scene.file.read_text(encoding="utf-8"))))
    change(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    scene.write(text.getvalue())


def scores(scene: Scene, text: str, count: int = 12) -> None:
    """Replace the score of the first rows of a CSV file."""

    def change(rows: list[list[str]]) -> None:
        for row in rows[1 : count + 1]:
            row[-1] = text

    table(scene, change)


@doctored(RAGAS, "150 of 200", ends=BLOCKED)
def ragas_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong."""
    scene.take("ragas/fail.csv")


@doctored(RAGAS, "unscored", ends=BLOCKED)
def ragas_empty_cells(scene: Scene) -> None:
    """The metric raised an exception on twelve rows, which the tool leaves out of its mean."""
    scores(scene, "")


@doctored(RAGAS, "200 unscored", ends=BLOCKED)
def ragas_all_errored(scene: Scene) -> None:
    """The metric raised an exception on every row, and the tool exits with 0."""
    scene.take("ragas/all_errored.csv")


@doctored(RAGAS, "12 unscored", ends=BLOCKED)
def ragas_not_a_number(scene: Scene) -> None:
    """Twelve scores are nan."""
    scores(scene, "nan")


@doctored(RAGAS, "a score is not a finite number")
def ragas_infinity(scene: Scene) -> None:
    """Twelve scores are inf, which is above every bar."""
    scores(scene, "inf")


@doctored(RAGAS, "a score is not a finite number")
def ragas_number_that_overflows(scene: Scene) -> None:
    """Twelve scores are 1e999999999."""
    scores(scene, "1e999999999")


@doctored(RAGAS, "a score is not a finite number")
def ragas_words(scene: Scene) -> None:
    """Twelve scores are the word True."""
    scores(scene, "True")


@doctored(RAGAS, "a score is not a finite number")
def ragas_decimal_commas(scene: Scene) -> None:
    """A spreadsheet has written the scores with decimal commas."""
    scores(scene, "1,0", 200)


@doctored(RAGAS, "not the result file of a tool")
def ragas_semicolons(scene: Scene) -> None:
    """A spreadsheet has written semicolons between the columns."""
    scene.replace(",", ";")


@doctored(RAGAS, "exact_match")
def ragas_metric_renamed(scene: Scene) -> None:
    """The column has another name."""
    scene.replace("exact_match", "similar_match")


@doctored(RAGAS, "two of its columns")
def ragas_column_twice(scene: Scene) -> None:
    """The column is there twice: with the real scores, and with ones."""
    scene.take("ragas/fail.csv")

    def change(rows: list[list[str]]) -> None:
        rows[0].append("exact_match")
        for row in rows[1:]:
            row.append("1.0")

    table(scene, change)


@doctored(RAGAS, "more rows than are declared")
def ragas_reruns_merged(scene: Scene) -> None:
    """The rows of a second run are appended to those of the first."""
    again = scene.honest("ragas/pass.csv").decode().split("\n", 1)[1]
    scene.take("ragas/fail.csv")
    scene.write(scene.file.read_text(encoding="utf-8") + again)


@doctored(RAGAS, "more rows than are declared")
def ragas_question_twice(scene: Scene) -> None:
    """A question is in the table twice, in place of a harder one."""
    table(scene, lambda rows: rows.__setitem__(150, list(rows[1])))


@doctored(RAGAS, "184 of 188 cases passed")
def ragas_questions_missing(scene: Scene) -> None:
    """Twelve rows are gone."""
    table(scene, lambda rows: rows.__delitem__(slice(1, 13)))


@doctored(RAGAS, "no rows")
def ragas_only_the_header(scene: Scene) -> None:
    """The table has no rows."""
    table(scene, lambda rows: rows.__delitem__(slice(1, None)))


@doctored(RAGAS, "not as long as its header")
def ragas_rows_of_other_lengths(scene: Scene) -> None:
    """Some rows have a cell too few, so that the answer stands where the score should be."""
    table(scene, lambda rows: [row.pop(1) for row in rows[1:13]])


@doctored(RAGAS, "not as long as its header")
def ragas_rows_too_long(scene: Scene) -> None:
    """Some rows have a cell too many."""

    def change(rows: list[list[str]]) -> None:
        for row in rows[1:13]:
            row.append("1.0")

    table(scene, change)


@doctored(RAGAS, "not the result file of a tool")
def ragas_open_quote(scene: Scene) -> None:
    """A quotation mark is not closed, so that the rest of the table is one cell."""
    scene.replace("What is 20 plus", '"What is 20 plus', 1)


@doctored(RAGAS, "not as long as its header")
def ragas_truncated(scene: Scene) -> None:
    """The last rows are missing, the last of them in part."""
    scene.write(scene.file.read_bytes()[:-30])


@doctored(RAGAS_JSON, "12 unscored", ends=BLOCKED)
def ragas_nulls(scene: Scene) -> None:
    """The metric raised an exception on twelve rows, which are null in the JSON."""
    with scene.json() as document:
        for row in document[:12]:
            row["exact_match"] = None


@doctored(RAGAS_JSON, "not the result file of a tool")
def ragas_scores_missing(scene: Scene) -> None:
    """Twelve rows do not have the metric."""
    with scene.json() as document:
        for row in document[:12]:
            del row["exact_match"]


@doctored(RAGAS_JSON, "have no id")
def ragas_scores_without_questions(scene: Scene) -> None:
    """Only the scores were kept, which do not say of what they are."""
    scene.take("ragas/pass.scores.json")


@doctored(RAGAS_JSON, "a score is not a finite number")
def ragas_scores_are_words(scene: Scene) -> None:
    """The scores are strings."""
    with scene.json() as document:
        for row in document:
            row["exact_match"] = str(row["exact_match"])


@doctored(RAGAS_JSON, "two values of one name")
def ragas_score_twice(scene: Scene) -> None:
    """Failed rows have the score twice, first 0 and then 1."""
    scene.take("ragas/fail.json")
    scene.replace('"exact_match":0.0', '"exact_match":0.0,"exact_match":1.0')


@doctored(RAGAS_JSON, "not the result file of a tool")
def ragas_not_every_row_is_one(scene: Scene) -> None:
    """Twelve rows are null."""
    with scene.json() as document:
        document[:12] = [None] * 12


@doctored(LM_EVAL, "150 of 200", ends=BLOCKED)
def lm_eval_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong."""
    scene.take(FAILED_TOTALS)


@doctored(LM_EVAL, "only 50 of 200")
def lm_eval_limited(scene: Scene) -> None:
    """The run was limited to 50 of 200 documents."""
    scene.take("lmeval/limit/results_2026-11-28T22-57-05.192626.json")


@doctored(LM_EVAL, "two numbers of cases")
def lm_eval_limit_hidden(scene: Scene) -> None:
    """Somebody changes the number of documents of a limited run, and leaves the limit."""
    scene.take("lmeval/limit/results_2026-11-28T22-57-05.192626.json")
    with scene.json() as document:
        document["n-samples"]["sums"] = {"original": 200, "effective": 200}


@doctored(LM_EVAL, "two numbers of cases")
def lm_eval_limit_cut_out(scene: Scene) -> None:
    """Somebody removes the limit from a limited run, and leaves the number of samples."""
    scene.take("lmeval/limit/results_2026-11-28T22-57-05.192626.json")
    with scene.json() as document:
        document["config"]["limit"] = None
        document["n-samples"]["sums"] = {"original": 200, "effective": 200}


@doctored(LM_EVAL, "there is no metric")
def lm_eval_small(scene: Scene) -> None:
    """Ten documents all pass."""
    scene.take("lmeval/small/results_2026-11-28T22-56-56.005655.json")


@doctored(LM_EVAL, "share of cases")
def lm_eval_share_changed(scene: Scene) -> None:
    """Somebody changes the share of a failed run, and leaves the standard error."""
    scene.take(FAILED_TOTALS)
    with scene.json() as document:
        document["results"]["sums"]["exact_match,none"] = 0.98


@doctored(LM_EVAL_SAMPLES, "146 of 200 cases passed", ends=BLOCKED)
def lm_eval_samples_fail(scene: Scene) -> None:
    """Fifty of the logged samples are wrong."""
    scene.replace('"exact_match":1.0', '"exact_match":0.0', 50)


@doctored(LM_EVAL_SAMPLES, "10 of 10 cases passed")
def lm_eval_samples_of_few(scene: Scene) -> None:
    """The samples are those of a small run, under the name of the large one."""
    scene.take("lmeval/small/samples_sums10_2026-11-28T22-56-56.005655.jsonl")


@doctored(LM_EVAL_SAMPLES, "more rows than are declared")
def lm_eval_sample_twice(scene: Scene) -> None:
    """A sample is in the file twice, in place of a harder one."""
    lines = scene.file.read_text(encoding="utf-8").splitlines()
    lines[150] = lines[0]
    scene.write("\n".join(lines))


@doctored(LM_EVAL_SAMPLES, "not complete JSON")
def lm_eval_samples_truncated(scene: Scene) -> None:
    """The last line of the samples is cut."""
    scene.write(scene.file.read_bytes()[:-200])


@doctored(LM_EVAL_SAMPLES, "rows lack the metric")
def lm_eval_samples_without_the_metric(scene: Scene) -> None:
    """Twelve samples do not have the metric."""
    scene.replace(',"exact_match":1.0', "", 12)


@doctored(LM_EVAL_SAMPLES, "a score is not a finite number")
def lm_eval_samples_above_one(scene: Scene) -> None:
    """Wrong samples have a score of Infinity."""
    scene.replace('"exact_match":0.0', '"exact_match":Infinity')


@doctored(LM_EVAL_SAMPLES, "rows lack the metric")
def lm_eval_samples_of_two_metrics(scene: Scene) -> None:
    """Half of the samples are of another metric."""
    scene.replace('"metrics":["exact_match"]', '"metrics":["other"]', 100)
    scene.replace('"exact_match":1.0', '"other":1.0', 100)


@doctored(LM_EVAL_SAMPLES, "does not say which commit it is about", attest=False)
def lm_eval_samples_alone(scene: Scene) -> None:
    """Nobody attested to the samples, which have neither a commit nor a time."""


@doctored(LM_EVAL, "is about another commit")
def lm_eval_other_commit(scene: Scene) -> None:
    """The results are about another commit."""
    scene.replace(scene.head[:7], OTHER_COMMIT[:7])


@doctored(LM_EVAL, "does not say which commit it is about")
def lm_eval_outside_of_git(scene: Scene) -> None:
    """The run was outside of a repository."""
    with scene.json() as document:
        document["git_hash"] = None


@doctored(LM_EVAL, "does not say which commit it is about")
def lm_eval_six_digits(scene: Scene) -> None:
    """The commit was shortened to six digits."""
    with scene.json() as document:
        document["git_hash"] = scene.head[:6]


@doctored(LM_EVAL, "does not say which commit it is about")
def lm_eval_commit_is_a_number(scene: Scene) -> None:
    """The commit is a number."""
    with scene.json() as document:
        document["git_hash"] = 1234567


@doctored(LM_EVAL, "does not say which commit it is about")
def lm_eval_described_commit(scene: Scene) -> None:
    """The commit is a description that says that the checkout was changed."""
    with scene.json() as document:
        document["git_hash"] = f"v1.0-3-g{scene.head[:7]}-dirty"


def dated(scene: Scene, date: object) -> None:
    """Change the time of the run."""
    with scene.json() as document:
        document["date"] = date


@doctored(LM_EVAL, "is too old")
def lm_eval_old(scene: Scene) -> None:
    """The results are three days old."""
    dated(scene, 1795906565.4 - 3 * 86_400)


@doctored(LM_EVAL, "later than this check")
def lm_eval_future(scene: Scene) -> None:
    """The results are dated tomorrow."""
    dated(scene, 1795906565.4 + 86_400)


@doctored(LM_EVAL, "does not say when the evaluation ran")
def lm_eval_without_a_date(scene: Scene) -> None:
    """The date is null."""
    dated(scene, None)


@doctored(LM_EVAL, "does not say when the evaluation ran")
def lm_eval_date_is_not_a_number(scene: Scene) -> None:
    """The date is NaN, which is neither before nor after anything."""
    dated(scene, float("nan"))


@doctored(LM_EVAL, "does not say when the evaluation ran")
def lm_eval_date_outside_of_the_calendar(scene: Scene) -> None:
    """The date is beyond the year 9999."""
    dated(scene, 1e20)


@doctored(LM_EVAL, "does not say when the evaluation ran")
def lm_eval_date_in_milliseconds(scene: Scene) -> None:
    """The date is in milliseconds, which as seconds is the year 58 879."""
    dated(scene, 1795906565432)


def shared(scene: Scene, value: object) -> None:
    """Change the share."""
    with scene.json() as document:
        document["results"]["sums"]["exact_match,none"] = value


@doctored(LM_EVAL, "not a number between 0 and 1")
def lm_eval_share_is_not_a_number(scene: Scene) -> None:
    """The share is NaN."""
    shared(scene, float("nan"))


@doctored(LM_EVAL, "not a number between 0 and 1")
def lm_eval_share_above_one(scene: Scene) -> None:
    """The share is 98, in percent."""
    shared(scene, 98.0)


@doctored(LM_EVAL, "not a number between 0 and 1")
def lm_eval_share_is_a_word(scene: Scene) -> None:
    """The share is a string."""
    shared(scene, "0.98")


@doctored(LM_EVAL, "not a number between 0 and 1")
def lm_eval_share_is_true(scene: Scene) -> None:
    """The share is true, which Python takes for the number 1."""
    shared(scene, True)


@doctored(LM_EVAL, "share of cases")
def lm_eval_share_of_no_whole_cases(scene: Scene) -> None:
    """The mean is not a number of cases: scores between 0 and 1, of which none says what passed."""
    shared(scene, 0.9734)


@doctored(LM_EVAL, "does not say that a high")
def lm_eval_lower_is_better(scene: Scene) -> None:
    """The metric is one of which less is better, such as a share of errors."""
    with scene.json() as document:
        document["higher_is_better"]["sums"]["exact_match"] = False


@doctored(LM_EVAL, "there is no metric")
def lm_eval_other_filter(scene: Scene) -> None:
    """The answers were filtered in a way that the requirement does not name."""
    scene.replace("exact_match,none", "exact_match,flexible")


@doctored(LM_EVAL, "only 200 of 10")
def lm_eval_more_than_there_are(scene: Scene) -> None:
    """More documents were run than there are."""
    with scene.json() as document:
        document["n-samples"]["sums"] = {"original": 10, "effective": 200}


@doctored(LM_EVAL, "how many cases the task has")
def lm_eval_negative(scene: Scene) -> None:
    """The number of documents is negative."""
    with scene.json() as document:
        document["n-samples"]["sums"] = {"original": -200, "effective": -200}


@doctored(LM_EVAL, "how many cases the task has")
def lm_eval_no_documents(scene: Scene) -> None:
    """No document was run."""
    with scene.json() as document:
        document["n-samples"]["sums"] = {"original": 0, "effective": 0}
        document["results"]["sums"]["sample_len"] = 0


@doctored(LM_EVAL, "how many cases the task has")
def lm_eval_infinitely_many(scene: Scene) -> None:
    """Infinitely many documents were run."""
    with scene.json() as document:
        document["n-samples"]["sums"] = {"original": float("inf"), "effective": float("inf")}


@doctored(LM_EVAL, "how many cases the task has")
def lm_eval_number_of_documents_missing(scene: Scene) -> None:
    """The number of documents is not in the file."""
    with scene.json() as document:
        document["n-samples"] = {}


@doctored(LM_EVAL, "there is no metric")
def lm_eval_other_task(scene: Scene) -> None:
    """The results are of another, easier task."""
    scene.replace('"sums"', '"easy_sums"')


@doctored(LM_EVAL, "two values of one name")
def lm_eval_task_twice(scene: Scene) -> None:
    """The task is in the results twice, failed and passed."""
    scene.take(FAILED_TOTALS)
    good = json.dumps({"name": "sums", "sample_len": 200, "exact_match,none": 0.98})
    with scene.json() as document:
        document["results"]["other"] = 777
    scene.replace('"other":777', f'"sums":{good}')


@doctored(LM_EVAL, "nested too deeply")
def lm_eval_deep(scene: Scene) -> None:
    """Objects are nested a hundred thousand times."""
    with scene.json() as document:
        document["chat_template"] = 777
    scene.replace('"chat_template":777', '"x":' + '{"a":' * 100_000 + "1" + "}" * 100_000)


@doctored(LM_EVAL_DIGEST, "these are not the cases of the policy")
def lm_eval_other_questions(scene: Scene) -> None:
    """The questions are easier ones under the same name, of which the tool takes another hash."""
    with scene.json() as document:
        document["task_hashes"]["sums"] = "0" * 64


@doctored(LM_EVAL_DIGEST, "several metrics may be meant")
def lm_eval_questions_of_another_task(scene: Scene) -> None:
    """An easy task has the share, and the hash of the questions is the one of a task beside it."""
    with scene.json() as document:
        for name in ("results", "versions", "n-shot", "higher_is_better", "n-samples", "configs"):
            document[name]["easy"] = json.loads(json.dumps(document[name]["sums"]))
        document["task_hashes"]["easy"] = "0" * 64


def metric(document: Json, name: str) -> Json:
    """Return the metric of Evidently whose name begins so."""
    return next(one for one in document["metrics"] if one["metric_name"].startswith(name))


@doctored(EVIDENTLY, "150 of 200", ends=BLOCKED)
def evidently_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong."""
    scene.take("evidently/fail.json")


@doctored(EVIDENTLY, "180 of 200 cases passed", ends=BLOCKED)
def evidently_missing_values(scene: Scene) -> None:
    """Twenty of 200 values are missing, which the tool leaves out of mean and share."""
    with scene.json() as document:
        for one in document["metrics"]:
            if one["metric_name"].startswith("MissingValueCount"):
                one["value"] = {"count": 20.0, "share": 0.1}
            if one["metric_name"].startswith("CategoryCount"):
                one["value"] = {"count": 180.0, "share": 1.0}
            if one["metric_name"].startswith("MeanValue"):
                one["value"] = 1.0
        document["tests"] = []


@doctored(EVIDENTLY, "how many rows there were")
def evidently_missing_values_not_counted(scene: Scene) -> None:
    """The report has no metric that counts the missing values."""
    scene.take("evidently/errors.json")
    with scene.json() as document:
        document["metrics"] = [
            one for one in document["metrics"] if one["metric_name"].startswith("MeanValue")
        ]


@doctored(EVIDENTLY, "how many rows there were")
def evidently_rows_not_counted(scene: Scene) -> None:
    """The report does not say how many rows there were."""
    with scene.json() as document:
        document["metrics"].remove(metric(document, "RowCount"))


@doctored(EVIDENTLY, "150 of 200 cases passed", ends=BLOCKED)
def evidently_threshold_lowered(scene: Scene) -> None:
    """The thresholds of the tests are 0.5, so that 0.75 is a success for the tool."""
    scene.take("evidently/fail.json")
    scene.replace("0.95", "0.5")
    scene.replace('"FAIL"', '"SUCCESS"')


@doctored(EVIDENTLY, "contradict each other")
def evidently_count_changed(scene: Scene) -> None:
    """Somebody changes the count of a failed run, and leaves the share."""
    scene.take("evidently/fail.json")
    with scene.json() as document:
        metric(document, "CategoryCount")["value"]["count"] = 196.0


@doctored(EVIDENTLY, "contradicts its value")
def evidently_share_changed(scene: Scene) -> None:
    """Somebody changes the share of a failed run, and leaves the count."""
    scene.take("evidently/fail.json")
    with scene.json() as document:
        metric(document, "CategoryCount")["value"]["share"] = 0.98


@doctored(EVIDENTLY, "is not a count of rows")
def evidently_count_is_not_a_number(scene: Scene) -> None:
    """The count is NaN."""
    with scene.json() as document:
        metric(document, "CategoryCount")["value"]["count"] = float("nan")


@doctored(EVIDENTLY, "how many rows there were")
def evidently_rows_are_not_whole(scene: Scene) -> None:
    """There were 200 and a half rows."""
    with scene.json() as document:
        metric(document, "RowCount")["value"] = 200.5


@doctored(EVIDENTLY, "contradicts its value")
def evidently_no_rows(scene: Scene) -> None:
    """There were no rows."""
    with scene.json() as document:
        metric(document, "RowCount")["value"] = 0.0


@doctored(EVIDENTLY, "how many rows there were")
def evidently_infinitely_many_rows(scene: Scene) -> None:
    """There were infinitely many rows."""
    with scene.json() as document:
        metric(document, "RowCount")["value"] = float("inf")


@doctored(EVIDENTLY, "how many rows passed")
def evidently_other_column(scene: Scene) -> None:
    """The report is about another column."""
    scene.replace('"passed"', '"polite"')


@doctored(EVIDENTLY, "which count of passes")
def evidently_two_counts(scene: Scene) -> None:
    """The report has the count of the column twice, of which one is good enough."""
    with scene.json() as document:
        good = metric(document, "CategoryCount")
        bad = {"count": 150.0, "share": 0.75}
        document["metrics"].append({**good, "id": "other", "value": bad})


@doctored(EVIDENTLY, "how many rows there were")
def evidently_no_metrics(scene: Scene) -> None:
    """The report has no metrics, only tests that succeeded."""
    with scene.json() as document:
        document["metrics"] = []


@doctored(EVIDENTLY, "could not be calculated")
def evidently_test_without_an_answer(scene: Scene) -> None:
    """A test could not be calculated."""
    scene.replace('"status":"SUCCESS"', '"status":"ERROR"')


@doctored(EVIDENTLY, "does not say which commit it is about", attest=False)
def evidently_without_a_commit(scene: Scene) -> None:
    """Nobody attested to the report, which has neither a commit nor a time."""


@doctored(EVIDENTLY_SNAPSHOT, "is too old")
def evidently_old_snapshot(scene: Scene) -> None:
    """The snapshot is three days old."""
    scene.replace("2026-11-28T", "2026-11-25T")


@doctored(EVIDENTLY_SNAPSHOT, "its attestation that it is about")
def evidently_snapshot_of_another_commit(scene: Scene) -> None:
    """The snapshot's metadata name another commit than the run that attests to it."""
    scene.replace(scene.head, OTHER_COMMIT)


def summary(**changes: Any) -> str:
    """Return a line of Braintrust that passed, with changes."""
    score = {
        "name": "faithfulness",
        "_longest_score_name": 12,
        "score": 0.98,
        "improvements": 0,
        "regressions": 0,
        "diff": None,
    }
    scores = {"faithfulness": score | changes.pop("score", {})}
    comparison = {"scores": scores, "metrics": {}, "status": "success"}
    line = {
        "project_name": "sums",
        "project_id": None,
        "experiment_id": None,
        "experiment_name": "sums",
        "project_url": None,
        "experiment_url": None,
        "comparison_experiment_name": None,
        "comparison": comparison,
        "scores": scores,
        "metrics": {},
    }
    return json.dumps(line | changes) + "\n"


def braintrust(scene: Scene, text: str | bytes) -> None:
    """Put a file of Braintrust in the place of the honest one, whose requirement asks for less."""
    scene.file.unlink()
    policy = scene.folder / "gate.yaml"
    wanted = policy.read_text(encoding="utf-8")
    wanted = wanted.replace('"exact_match"', '"faithfulness"').replace(', "score": 1', "")
    policy.write_text(wanted, encoding="utf-8")
    scene.write(text, "evals/summary.jsonl")


@doctored(RAGAS, "have means, but not the number")
def braintrust_passes(scene: Scene) -> None:
    """The summary says 98%, and not of how many cases."""
    braintrust(scene, scene.honest("braintrust/pass.jsonl"))


@doctored(RAGAS, "have means, but not the number")
def braintrust_honest_failure(scene: Scene) -> None:
    """The summary says 75%."""
    braintrust(scene, scene.honest("braintrust/fail.jsonl"))


@doctored(RAGAS, "there is no metric")
def braintrust_errors(scene: Scene) -> None:
    """Tasks raised exceptions, and the summary has only these."""
    braintrust(scene, scene.honest("braintrust/errors.jsonl"))


@doctored(RAGAS, "have means, but not the number")
def braintrust_scorer_errors(scene: Scene) -> None:
    """A scorer raised exceptions, which are left out of the mean, and the tool exits with 0."""
    text = scene.honest("braintrust/scorer_errors.jsonl").replace(b'"g"', b'"faithfulness"')
    braintrust(scene, text)


@doctored(RAGAS, "there is no metric")
def braintrust_no_case(scene: Scene) -> None:
    """There were no cases, and the status is success."""
    braintrust(scene, scene.honest("braintrust/zero.jsonl"))


@doctored(RAGAS, "have means, but not the number")
def braintrust_few_cases(scene: Scene) -> None:
    """Ten cases passed, which looks the same as 200."""
    braintrust(scene, scene.honest("braintrust/small.jsonl"))


@doctored(RAGAS, "have means, but not the number")
def braintrust_count_made_up(scene: Scene) -> None:
    """Somebody adds the number of cases, a commit and a time, which the tool never writes."""
    extra = {"n": 200, "cases": 200, "git_sha": scene.head, "created": "2026-11-28T23:00:00Z"}
    braintrust(scene, summary(**extra))


@doctored(RAGAS, "have means, but not the number")
def braintrust_nothing_compared(scene: Scene) -> None:
    """There are no regressions, as nothing was compared."""
    braintrust(scene, summary(score={"improvements": 0, "regressions": 0, "diff": 0.0}))


@doctored(RAGAS, "have means, but not the number")
def braintrust_compared(scene: Scene) -> None:
    """The experiment was compared with itself."""
    braintrust(scene, summary(comparison_experiment_name="sums", score={"diff": 0.0}))


@doctored(RAGAS, "have means, but not the number")
def braintrust_skipped(scene: Scene) -> None:
    """The comparison was skipped for a reason that is not in the scores."""
    braintrust(scene, summary(comparison={"status": "skipped", "reason": "no base", "scores": {}}))


@doctored(RAGAS, "have means, but not the number")
def braintrust_failure_and_pass(scene: Scene) -> None:
    """The first line is of a run that failed, the second of one that passed."""
    braintrust(scene, summary(score={"score": 0.5}) + summary())


@doctored(RAGAS, "6 tasks raised")
def braintrust_errors_and_pass(scene: Scene) -> None:
    """The first line has the errors of a run, the second passed."""
    braintrust(scene, scene.honest("braintrust/errors.jsonl") + summary().encode())
