"""Doctored files of promptfoo."""

from copy import deepcopy
from typing import Any

from tests.evaluations.corpus.bases import (
    PROMPTFOO,
    PROMPTFOO_ALL,
    PROMPTFOO_COMPARED,
    PROMPTFOO_DIGEST,
    PROMPTFOO_PINNED,
    PROMPTFOO_REPEATED,
    PROMPTFOO_SCORED,
    PROMPTFOO_WITHOUT_NUMBER,
)
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import BEFORE, OTHER_COMMIT, Scene
from tests.hosts.repository import git

Json = Any


def rows(document: Json) -> Json:
    """Return the rows of a document."""
    return document["results"]["results"]


def restate(document: Json) -> None:
    """Make the totals agree with the rows, as the tool would have counted them."""
    successes = sum(row["success"] for row in rows(document))
    errors = sum(row["failureReason"] == 2 for row in rows(document))
    failures = len(rows(document)) - successes - errors
    document["results"]["stats"].update(successes=successes, failures=failures, errors=errors)
    for place, prompt in enumerate(document["results"]["prompts"]):
        own = [row for row in rows(document) if row["promptIdx"] == place]
        passed = sum(row["success"] for row in own)
        errored = sum(row["failureReason"] == 2 for row in own)
        prompt["metrics"].update(
            testPassCount=passed,
            testFailCount=len(own) - passed - errored,
            testErrorCount=errored,
        )


def fail(row: Json) -> None:
    """Make a row into one that failed its assertion, as the tool writes it."""
    row.update(success=False, score=0, failureReason=1, namedScores={"faithfulness": 0})
    row["error"] = 'Expected output to contain "8"'
    row["gradingResult"].update({"pass": False, "score": 0, "namedScores": {"faithfulness": 0}})
    for part in row["gradingResult"]["componentResults"]:
        part.update({"pass": False, "score": 0})


def crash(row: Json) -> None:
    """Make a row into one whose provider raised an exception, as the tool writes it."""
    row.update(success=False, score=0, failureReason=2, namedScores={}, gradingResult=None)
    row.update(error="Error: provider answered 503", response={})


def add_prompt(document: Json) -> None:
    """Let the same cases run with a second prompt, as the tool writes it."""
    prompts = document["results"]["prompts"]
    prompts.append(deepcopy(prompts[0]))
    again = deepcopy(rows(document))
    for row in again:
        row.update(promptIdx=1, id=f"{row['id']}-1")
    rows(document).extend(again)


def succeed(row: Json) -> None:
    """Make a row into one that passed, as the tool writes it."""
    row.update(success=True, score=1, failureReason=0, namedScores={"faithfulness": 1})
    row.pop("error", None)


@doctored(PROMPTFOO, "150 of 200", ends=BLOCKED)
def promptfoo_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong, and the file says so."""
    scene.take("promptfoo/fail.json")


@doctored(PROMPTFOO, "12 errored", ends=BLOCKED)
def promptfoo_errored(scene: Scene) -> None:
    """The provider was down for a minute, so that twelve cases have no answer."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            crash(row)
        restate(document)


@doctored(PROMPTFOO, "its totals are 184, 4, 12, and its rows")
def promptfoo_errored_rows_left_out(scene: Scene) -> None:
    """Somebody computes the share without the errors, and removes their rows."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            crash(row)
        restate(document)
        del rows(document)[:12]


@doctored(PROMPTFOO, "188")
def promptfoo_errored_rows_left_out_and_totals_adjusted(scene: Scene) -> None:
    """Somebody removes the twelve worst rows, and adjusts the totals."""
    with scene.json() as document:
        del rows(document)[:12]
        restate(document)


@doctored(PROMPTFOO, "not complete JSON")
def promptfoo_truncated(scene: Scene) -> None:
    """The disk was full in the middle of writing."""
    content = scene.file.read_bytes()
    scene.write(content[: len(content) // 2])


@doctored(PROMPTFOO, "rows only")
def promptfoo_stream_of_an_interrupted_run(scene: Scene) -> None:
    """The run wrote JSON lines, and was interrupted after 50 cases without a failure."""
    scene.take("promptfoo/half_INT.jsonl")


@doctored(PROMPTFOO, "50")
def promptfoo_interrupted_run_in_an_envelope(scene: Scene) -> None:
    """Somebody puts the 50 rows of an interrupted run into the envelope of a whole one."""
    with scene.json() as document:
        del rows(document)[50:]
        restate(document)


@doctored(PROMPTFOO, "is about another commit")
def promptfoo_other_commit(scene: Scene) -> None:
    """The results are about the commit before."""
    scene.replace(scene.head, OTHER_COMMIT)


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_six_digits(scene: Scene) -> None:
    """The tag has only six digits of the commit, which many commits share."""
    scene.replace(scene.head, scene.head[:6])


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_empty_commit(scene: Scene) -> None:
    """The variable that the tag is made from was not set, so that the tag is empty."""
    scene.replace(scene.head, "")


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_branch_instead_of_commit(scene: Scene) -> None:
    """The tag names the branch, which is another commit every day."""
    scene.replace(scene.head, "main")


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_pattern_instead_of_commit(scene: Scene) -> None:
    """The tag is a pattern that would match every commit."""
    scene.replace(scene.head, ".*")


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_commit_with_a_tail(scene: Scene) -> None:
    """The tag has the commit and a word behind it, as git describe writes a changed checkout."""
    scene.replace(scene.head, f"{scene.head[:8]}-dirty")


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_untagged(scene: Scene) -> None:
    """Nobody gave the run a tag."""
    with scene.json() as document:
        document["config"]["tags"] = {}


@doctored(PROMPTFOO, "does not say which commit it is about")
def promptfoo_commit_is_a_list(scene: Scene) -> None:
    """The tag lists several commits, one of which is the right one."""
    with scene.json() as document:
        document["config"]["tags"]["git.sha"] = [scene.head, OTHER_COMMIT]


@doctored(PROMPTFOO, "is too old")
def promptfoo_old(scene: Scene) -> None:
    """The run failed to start, and the file of three days ago is still there."""
    scene.replace("2026-11-28T22:51:51", "2026-11-25T22:51:51")


@doctored(PROMPTFOO, "is too old")
def promptfoo_old_and_exported_again(scene: Scene) -> None:
    """The evaluation of three days ago is exported anew today."""
    scene.replace("2026-11-28T22:51:51", "2026-11-25T22:51:51")
    with scene.json() as document:
        document["metadata"]["exportedAt"] = "2026-11-28T23:20:00.000Z"


@doctored(PROMPTFOO, "is too old")
def promptfoo_old_with_a_new_mtime(scene: Scene) -> None:
    """The CI cache brings the file of three days ago back, with the present time on the outside."""
    scene.replace("2026-11-28T22:51:51", "2026-11-25T22:51:51")
    scene.touch()


@doctored(PROMPTFOO, "its times contradict each other")
def promptfoo_two_times(scene: Scene) -> None:
    """Somebody renews one time of an old file and forgets the other."""
    with scene.json() as document:
        document["metadata"]["evaluationCreatedAt"] = "2026-11-20T22:51:51.437Z"


@doctored(PROMPTFOO, "later than this check")
def promptfoo_future(scene: Scene) -> None:
    """The file is dated tomorrow, so that it will be fresh for longer."""
    scene.replace("2026-11-28T22:51:51", "2026-11-29T22:51:51")


@doctored(PROMPTFOO, "does not say when the evaluation ran")
def promptfoo_without_a_time(scene: Scene) -> None:
    """The times are cut out of the file."""
    with scene.json() as document:
        del document["results"]["timestamp"]
        del document["metadata"]["evaluationCreatedAt"]
        del document["metadata"]["exportedAt"]
        document["evalId"] = "eval-gEy"


@doctored(PROMPTFOO, "does not say when the evaluation ran")
def promptfoo_time_is_a_word(scene: Scene) -> None:
    """The time is a word that some parsers understand."""
    scene.replace("2026-11-28T22:51:51.437Z", "now")
    scene.replace("2026-11-28T22:51:51", "now")


@doctored(PROMPTFOO, "does not say when the evaluation ran")
def promptfoo_time_is_a_number(scene: Scene) -> None:
    """The time is a number far outside of the calendar."""
    with scene.json() as document:
        document["results"]["timestamp"] = 10**30
        document["metadata"]["evaluationCreatedAt"] = 10**30
        document["evalId"] = 10**30


@doctored(PROMPTFOO, "there is no metric")
def promptfoo_no_case(scene: Scene) -> None:
    """The filter matched no test, and the tool ended with success."""
    scene.take("promptfoo/zerofilter.json")


@doctored(PROMPTFOO, "its totals are 196, 4, 0, and its rows")
def promptfoo_no_row_but_totals(scene: Scene) -> None:
    """All rows are gone, and the totals still say 196 of 200."""
    with scene.json() as document:
        rows(document).clear()


@doctored(PROMPTFOO, "there is no metric")
def promptfoo_success_without_tests(scene: Scene) -> None:
    """The list of tests is empty, for which the tool reports one success."""
    scene.take("promptfoo/tests_empty.json")


@doctored(PROMPTFOO, "there is no metric")
def promptfoo_run_that_could_only_fail(scene: Scene) -> None:
    """The list of tests is empty and the provider fails."""
    scene.take("promptfoo/zero.json")


@doctored(PROMPTFOO_ALL, "200 unchecked", ends=BLOCKED)
def promptfoo_nothing_asserted(scene: Scene) -> None:
    """The assertions were removed from all 200 tests, and everything succeeds."""
    with scene.json() as document:
        for row in rows(document):
            row["testCase"]["assert"] = []
            row["gradingResult"] = {"pass": True, "score": 1, "reason": "No assertions"}
            row.update(success=True, score=1, failureReason=0, namedScores={})
            row.pop("error", None)
        restate(document)


@doctored(PROMPTFOO, "`success` contradicts")
def promptfoo_success_flipped(scene: Scene) -> None:
    """Somebody sets success to true in the failed rows, and leaves the scores."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            row["success"] = True
        restate(document)


@doctored(PROMPTFOO, "`success` contradicts")
def promptfoo_success_and_reason_flipped(scene: Scene) -> None:
    """Somebody flips success and the failure reason, and forgets the scores of the metric."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            row.update(success=True, failureReason=0, score=1)
            row.pop("error", None)
        restate(document)


@doctored(PROMPTFOO, "150 of 200 cases passed", ends=BLOCKED)
def promptfoo_metric_flipped(scene: Scene) -> None:
    """Somebody raises the scores of the metric, and leaves the rows as failures."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            row["namedScores"] = {"faithfulness": 1}


@doctored(PROMPTFOO, "`success` contradicts")
def promptfoo_grading_left(scene: Scene) -> None:
    """Somebody makes every row a success, and leaves what the assertions found."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            succeed(row)
        restate(document)


@doctored(PROMPTFOO, "150 of 200 cases passed", ends=BLOCKED)
def promptfoo_assertions_left(scene: Scene) -> None:
    """Somebody flips rows and verdicts, and forgets the single assertions below them."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            succeed(row)
            row["gradingResult"].update(
                {"pass": True, "score": 1, "namedScores": {"faithfulness": 1}}
            )
        restate(document)


@doctored(PROMPTFOO, "its totals are 200, 0, 0, and its rows")
def promptfoo_totals_changed(scene: Scene) -> None:
    """Somebody changes the totals of a failed run to 200 successes."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        document["results"]["stats"].update(successes=200, failures=0, errors=0)


@doctored(PROMPTFOO, "its totals are 150, 50, 0, and its rows")
def promptfoo_rows_changed(scene: Scene) -> None:
    """Somebody changes every trace of failure in the rows, and leaves the totals."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        good = next(row for row in rows(document) if row["success"])
        for row in rows(document):
            succeed(row)
            row["gradingResult"] = good["gradingResult"]


@doctored(PROMPTFOO, "its totals are 150, 50, 0, and its rows")
def promptfoo_totals_of_the_prompt_left(scene: Scene) -> None:
    """Somebody changes rows and totals, and forgets the totals of the prompt."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        before = document["results"]["prompts"][0]["metrics"].copy()
        good = next(row for row in rows(document) if row["success"])
        for row in rows(document):
            succeed(row)
            row["gradingResult"] = good["gradingResult"]
        restate(document)
        document["results"]["prompts"][0]["metrics"] = before


@doctored(PROMPTFOO, "its totals are 400, none, 0, and its rows")
def promptfoo_more_successes_than_cases(scene: Scene) -> None:
    """The totals count 400 successes and -200 failures, whose sum is right."""
    with scene.json() as document:
        document["results"]["stats"].update(successes=400, failures=-200, errors=0)


@doctored(PROMPTFOO, "150 of 200 cases passed", ends=BLOCKED)
def promptfoo_threshold_zero(scene: Scene) -> None:
    """The test's own threshold is 0, so that a score of 0 is a success."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            row["testCase"]["threshold"] = 0
            row.update(success=True, failureReason=0)
            row["gradingResult"]["pass"] = True
            row.pop("error", None)
        restate(document)


@doctored(PROMPTFOO_SCORED, "146 of 200 cases passed", ends=BLOCKED)
def promptfoo_threshold_lowered(scene: Scene) -> None:
    """The test's own threshold is 0.1, so that a score of 0.2 is a success for the tool."""
    with scene.json() as document:
        for row in rows(document)[:50]:
            row["testCase"]["threshold"] = 0.1
            row["testCase"]["assert"][0]["threshold"] = 0.1
            row.update(success=True, score=0.2, failureReason=0, namedScores={"faithfulness": 0.2})
            row["gradingResult"].update(
                {"pass": True, "score": 0.2, "namedScores": {"faithfulness": 0.2}}
            )
            row["gradingResult"]["componentResults"][0].update({"pass": True, "score": 0.2})
        restate(document)


@doctored(PROMPTFOO, "faithfulness")
def promptfoo_metric_renamed(scene: Scene) -> None:
    """The assertion's metric has another name, which checks something easier."""
    scene.replace('"faithfulness"', '"faithfulness_easy"')


@doctored(PROMPTFOO, "rows lack the metric")
def promptfoo_metric_missing_in_some_rows(scene: Scene) -> None:
    """Twelve tests do not have the assertion, and succeed."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            row["namedScores"] = {}
            row["gradingResult"]["namedScores"] = {}
            row["testCase"]["assert"] = []
            row["gradingResult"]["componentResults"] = []


@doctored(PROMPTFOO, "a score is not a finite number")
def promptfoo_not_a_number(scene: Scene) -> None:
    """A model-graded assertion divided by zero in twelve rows, and the tool wrote NaN."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            row["namedScores"]["faithfulness"] = float("nan")


@doctored(PROMPTFOO_SCORED, "`success` contradicts")
def promptfoo_infinity(scene: Scene) -> None:
    """The score is greater than every bar: Infinity."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            succeed(row)
            row["namedScores"]["faithfulness"] = float("inf")
        restate(document)


@doctored(PROMPTFOO_SCORED, "`success` contradicts")
def promptfoo_number_that_overflows(scene: Scene) -> None:
    """The score is a number that is greater than what a float holds: 1e999."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            succeed(row)
            row["namedScores"]["faithfulness"] = 777
        restate(document)
    scene.replace("777", "1e999")


@doctored(PROMPTFOO, "not complete JSON")
def promptfoo_number_with_ten_thousand_digits(scene: Scene) -> None:
    """A total has ten thousand digits, more than Python reads."""
    with scene.json() as document:
        document["results"]["stats"]["successes"] = 777
    scene.replace("777", "1" + "0" * 10_000)


@doctored(PROMPTFOO, "its totals are none, 4, 0, and its rows")
def promptfoo_exponent_of_a_million(scene: Scene) -> None:
    """A score has an exponent that would need hundreds of megabytes as an exact number."""
    scene.replace('"namedScores":{"faithfulness":1}', '"namedScores":{"faithfulness":1e-999999999}')
    scene.replace('"successes":196', '"successes":1e999999999')


@doctored(PROMPTFOO, "its totals are 150, 50, 0, and its rows")
def promptfoo_words_instead_of_values(scene: Scene) -> None:
    """Success is the word "false", which counts as true in many languages."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        for row in rows(document):
            row["success"] = str(row["success"]).lower()


@doctored(PROMPTFOO, "its totals are 196, 4, 0, and its rows")
def promptfoo_numbers_instead_of_truth(scene: Scene) -> None:
    """Success is the number 1, which the tool never writes."""
    with scene.json() as document:
        for row in rows(document):
            row["success"] = 1


@doctored(PROMPTFOO, "it has two rows of one test")
def promptfoo_case_twice(scene: Scene) -> None:
    """One case is in the file a second time in place of a harder one."""
    with scene.json() as document:
        rows(document)[150] = {**rows(document)[0], "testIdx": 150}


@doctored(PROMPTFOO, "more rows than are declared")
def promptfoo_repeats_not_declared(scene: Scene) -> None:
    """Each case was run twice, which neither the policy nor the file declares."""
    scene.take("promptfoo/repeat.json")
    with scene.json() as document:
        document["runtimeOptions"]["repeat"] = 1


@doctored(PROMPTFOO, "it has two rows of one test")
def promptfoo_time_limit(scene: Scene) -> None:
    """The time limit ended the run: 40 cases passed, 161 rows errored, and one case is in twice."""
    scene.take("promptfoo/maxtime.json")


@doctored(PROMPTFOO, "it has two rows of one test")
def promptfoo_reruns_merged(scene: Scene) -> None:
    """The failed cases were run again until they passed, and the rows of both runs are there."""
    with scene.json("evals/run.json") as document:
        good = [dict(row) for row in rows(document)]
        scene.take("promptfoo/fail.json", "other.json")
        with scene.json("other.json") as bad:
            failed = [row for row in rows(bad) if not row["success"]]
        names = {row["testCase"]["description"] for row in failed}
        again = [row for row in good if row["testCase"]["description"] in names]
        rows(document)[:] = [*good, *again]
        for row, earlier in zip(again, failed, strict=True):
            row.update(earlier)
        restate(document)


@doctored(PROMPTFOO_PINNED, "these are not the cases of the policy")
def promptfoo_easy_cases_only(scene: Scene) -> None:
    """Only the easy half of the cases was run."""
    scene.take("promptfoo/subset_meta.json")


@doctored(PROMPTFOO_PINNED, "these are not the cases of the policy")
def promptfoo_easy_cases_under_new_names(scene: Scene) -> None:
    """The hard cases are replaced by the easy ones under new names."""
    with scene.json() as document:
        for number, row in enumerate(rows(document)[100:]):
            for place in (row["testCase"]["metadata"], row["metadata"]):
                place["case_id"] = f"q-{number + 1:03}-b"
            row["testCase"]["description"] = f"q-{number + 1:03}-b"


@doctored(PROMPTFOO_PINNED, "these are not the cases of the policy")
def promptfoo_more_easy_cases(scene: Scene) -> None:
    """Easy cases are added to the pinned ones until the share is high enough."""
    scene.take("promptfoo/fail.json")
    with scene.json() as document:
        easy = rows(document)[0]
        for number in range(200, 2200):
            row = deepcopy(easy)
            row.update(testIdx=number, id=f"x-{number}")
            row["testCase"]["description"] = f"x-{number}"
            for place in (row["testCase"]["metadata"], row["metadata"]):
                place["case_id"] = f"x-{number}"
            rows(document).append(row)
        restate(document)


@doctored(PROMPTFOO_PINNED, "cases have more rows than are declared (q-001)")
def promptfoo_twin_with_a_blank(scene: Scene) -> None:
    """A hard case is replaced by an easy one whose name has a blank at the end."""
    with scene.json() as document:
        row = rows(document)[150]
        row["testCase"]["description"] = "q-001 "
        row["metadata"]["case_id"] = row["testCase"]["metadata"]["case_id"] = "q-001 "


@doctored(PROMPTFOO, "100 of 100 cases passed")
def promptfoo_two_prompts(scene: Scene) -> None:
    """100 cases with two prompts are 200 rows, but not 200 cases."""
    with scene.json() as document:
        rows(document)[:] = rows(document)[:100]
        add_prompt(document)
        restate(document)


@doctored(PROMPTFOO, "0 of 200 cases passed", ends=BLOCKED)
def promptfoo_second_provider_fails(scene: Scene) -> None:
    """The run has two providers, and the one that would ship fails every case."""
    with scene.json() as document:
        add_prompt(document)
        for row in rows(document)[200:]:
            fail(row)
        restate(document)


@doctored(PROMPTFOO, "more rows than are declared")
def promptfoo_cases_without_names(scene: Scene) -> None:
    """The tests have neither a description nor metadata, so that nobody can tell which ran."""
    with scene.json() as document:
        for row in rows(document):
            row["testCase"] = {"assert": row["testCase"]["assert"]}
            row["metadata"] = {}


@doctored(PROMPTFOO, "two values of one name")
def promptfoo_success_twice(scene: Scene) -> None:
    """Each failed row has success twice, first false and then true."""
    scene.take("promptfoo/fail.json")
    scene.replace('"success":false', '"success":false,"success":true')


@doctored(PROMPTFOO, "two values of one name")
def promptfoo_results_twice(scene: Scene) -> None:
    """The document has the results twice: those that failed, and those that passed."""
    passed = scene.file.read_text(encoding="utf-8").strip()
    failed = scene.honest("promptfoo/fail.json").decode().strip()
    scene.write(f"{failed[:-1]}, {passed[1:]}")


@doctored(PROMPTFOO, "not the result file of a tool")
def promptfoo_second_document_behind(scene: Scene) -> None:
    """A second run was appended to the file of the first."""
    scene.write(scene.file.read_bytes() + b"\n" + scene.honest("promptfoo/fail.json"))


@doctored(PROMPTFOO, "nested too deeply")
def promptfoo_deep(scene: Scene) -> None:
    """A hundred thousand brackets overflow the stack of a careless reader."""
    with scene.json() as document:
        document["vars"] = "DEEP"
    scene.replace('"DEEP"', "[" * 100_000 + "]" * 100_000)


@doctored(PROMPTFOO, "not complete XML")
def promptfoo_in_utf_16(scene: Scene) -> None:
    """A shell has redirected the failed run into a file in UTF-16."""
    scene.write(scene.honest("promptfoo/fail.json").decode().encode("utf-16"))


@doctored(PROMPTFOO, "not text in UTF-8")
def promptfoo_invalid_utf_8(scene: Scene) -> None:
    """A broken byte is in the name of a case."""
    scene.write(scene.file.read_bytes().replace(b"q-150", b"q-\xff50"))


@doctored(PROMPTFOO, "not complete JSON")
def promptfoo_byte_order_mark_and_failures(scene: Scene) -> None:
    """The failed run has a byte order mark, which the reader must look past."""
    scene.write(b"\xef\xbb\xbf" + scene.honest("promptfoo/fail.json")[:-20])


@doctored(PROMPTFOO, "not the result file of a tool")
def promptfoo_envelope_of_another_tool(scene: Scene) -> None:
    """The rows are in the envelope of DeepEval."""
    with scene.json() as document:
        results = document.pop("results")
        document["testRunData"] = {"testCases": results["results"], "testPassed": 196}


@doctored(PROMPTFOO, "several tools")
def promptfoo_two_envelopes(scene: Scene) -> None:
    """The document is one of two tools at once, of which one failed."""
    failed = scene.honest("deepeval/fail.latest_test_run.json").decode().strip()
    scene.write(scene.file.read_text(encoding="utf-8").strip()[:-1] + "," + failed[1:])


@doctored(PROMPTFOO, "its version is")
def promptfoo_unknown_version(scene: Scene) -> None:
    """The format has a version that nobody knows yet, in which success may mean something else."""
    with scene.json() as document:
        document["results"]["version"] = 99


@doctored(PROMPTFOO, "its version is")
def promptfoo_without_a_version(scene: Scene) -> None:
    """The format's version is not in the file."""
    with scene.json() as document:
        del document["results"]["version"]


@doctored(PROMPTFOO, "its totals are 196, none, 12, and its rows")
def promptfoo_errors_called_successes(scene: Scene) -> None:
    """Somebody turns errored rows into successes, and leaves why they failed."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            crash(row)
            row["success"] = True
        restate(document)


@doctored(PROMPTFOO, "`success` contradicts")
def promptfoo_unknown_reason(scene: Scene) -> None:
    """Rows are successes with a failure reason that nobody knows."""
    with scene.json() as document:
        for row in rows(document)[:12]:
            row["failureReason"] = 7


@doctored(PROMPTFOO, "its totals are 196, 4, 0, and its rows")
def promptfoo_rows_are_not_objects(scene: Scene) -> None:
    """The rows are bare truths."""
    with scene.json() as document:
        document["results"]["results"] = [True] * 200


@doctored(PROMPTFOO, "not the result file of a tool")
def promptfoo_results_are_null(scene: Scene) -> None:
    """The run ended before there were results."""
    with scene.json() as document:
        document["results"] = None


@doctored(PROMPTFOO_COMPARED, "worse", ends=BLOCKED)
def compared_and_worse(scene: Scene) -> None:
    """Six more cases fail than before, which still meets the bar and is no accident."""
    with scene.json() as document:
        for row in rows(document)[:6]:
            fail(row)
        restate(document)


@doctored(PROMPTFOO_COMPARED, "not enough cases to know")
def compared_and_slightly_worse(scene: Scene) -> None:
    """Three more cases fail than before, which may be an accident."""
    with scene.json() as document:
        for row in rows(document)[:3]:
            fail(row)
        restate(document)


@doctored(PROMPTFOO_COMPARED, "worse", ends=BLOCKED)
def compared_and_other_cases_fail(scene: Scene) -> None:
    """As many errored as are allowed, among them many that passed before."""
    with scene.json() as document:
        for row in rows(document)[:6]:
            crash(row)
        restate(document)


@doctored(PROMPTFOO_COMPARED, "missing")
def compared_without_the_hard_cases(scene: Scene) -> None:
    """Other cases take the place of those that failed before."""
    with scene.json() as document:
        for row in rows(document):
            if not row["success"]:
                row["testCase"]["description"] += "-new"
                row["metadata"]["case_id"] = row["testCase"]["description"]
                row["testCase"]["metadata"]["case_id"] = row["testCase"]["description"]


@doctored(PROMPTFOO_COMPARED, "no result file is about")
def compared_with_nothing(scene: Scene) -> None:
    """The results of the base are not there."""
    (scene.folder / BEFORE).unlink()


@doctored(PROMPTFOO_COMPARED, "no result file is about")
def compared_with_another_commit(scene: Scene) -> None:
    """The results of a worse commit are there, and called the base."""
    scene.write(scene.honest("promptfoo/fail.json").replace(scene.head.encode(), b"e" * 40), BEFORE)


@doctored(PROMPTFOO_COMPARED, "its totals are")
def compared_with_a_doctored_base(scene: Scene) -> None:
    """Somebody makes all cases of the base fail, so that nothing can be worse."""
    with scene.json(BEFORE) as document:
        for row in rows(document):
            fail(row)


@doctored(PROMPTFOO_COMPARED, "it is not complete JSON")
def compared_with_a_broken_base(scene: Scene) -> None:
    """The results of the base are cut off."""
    scene.write((scene.folder / BEFORE).read_bytes()[:1000], BEFORE)


@doctored(PROMPTFOO_COMPARED, "have more rows than are declared")
def compared_with_a_base_of_reruns(scene: Scene) -> None:
    """The results of the base are there twice, and do not agree."""
    worse = scene.honest("promptfoo/fail.json")
    scene.write(worse.replace(scene.head.encode(), scene.before.encode()), "evals/worse.json")


@doctored(PROMPTFOO_COMPARED, "the commit itself has this file")
def compared_with_a_committed_base(scene: Scene) -> None:
    """The change brings the results of the base along."""
    git(scene.folder, "add", "--force", BEFORE)
    git(scene.folder, "commit", "--quiet", "--amend", "--message=change")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    scene.replace(head, scene.head)


@doctored(PROMPTFOO_COMPARED, "150 of 200", ends=BLOCKED)
def compared_and_as_bad(scene: Scene) -> None:
    """The change is no worse than its base, and both are below the bar."""
    failed = scene.honest("promptfoo/fail.json")
    scene.write(failed)
    scene.write(failed.replace(scene.head.encode(), scene.before.encode()), BEFORE)


@doctored(PROMPTFOO, "195 of 199 cases passed")
def promptfoo_one_case_short(scene: Scene) -> None:
    """One case of 200 is missing."""
    with scene.json() as document:
        del rows(document)[0]
        restate(document)


@doctored(PROMPTFOO, "189 of 200 cases passed", ends=BLOCKED)
def promptfoo_one_pass_short(scene: Scene) -> None:
    """189 of 200 is 94.5%, which some reports round to 95%."""
    with scene.json() as document:
        for row in rows(document)[:7]:
            fail(row)
        restate(document)


@doctored(PROMPTFOO, "is too old")
def promptfoo_one_second_too_old(scene: Scene) -> None:
    """The run is a second older than the policy allows."""
    scene.replace("2026-11-28T22:51:51.437Z", "2026-11-27T23:29:59.000Z")
    scene.replace("2026-11-28T22:51:51", "2026-11-27T23:29:59")


@doctored(PROMPTFOO, "later than this check")
def promptfoo_six_minutes_ahead(scene: Scene) -> None:
    """The run is dated six minutes after the check, more than clocks differ."""
    scene.replace("2026-11-28T22:51:51", "2026-11-28T23:36:00")


@doctored(PROMPTFOO, "bar inside the file")
def promptfoo_threshold_lowered_and_no_bar(scene: Scene) -> None:
    """The assertion's threshold is 0.1, and the policy does not say which score is enough."""
    with scene.json() as document:
        for row in rows(document)[:50]:
            row["testCase"]["assert"][0]["threshold"] = 0.1
            row.update(score=0.2, namedScores={"faithfulness": 0.2})
            row["gradingResult"].update(score=0.2, namedScores={"faithfulness": 0.2})
            row["gradingResult"]["componentResults"][0]["score"] = 0.2


@doctored(PROMPTFOO, "two commits")
def promptfoo_two_commits(scene: Scene) -> None:
    """The tags name this commit and, under another key, the one that was evaluated."""
    with scene.json() as document:
        document["config"]["tags"]["commit"] = OTHER_COMMIT


@doctored(PROMPTFOO_DIGEST, "these are not the cases of the policy")
def promptfoo_other_digest(scene: Scene) -> None:
    """A hard case is replaced by a new one, which a hash of the ids shows."""
    with scene.json() as document:
        row = rows(document)[150]
        row["testCase"]["description"] = "q-201"
        row["metadata"]["case_id"] = row["testCase"]["metadata"]["case_id"] = "q-201"


@doctored(PROMPTFOO_REPEATED, "missing", ends=BLOCKED)
def promptfoo_repeats_left_out(scene: Scene) -> None:
    """The second row of twelve cases is gone, in which they failed."""
    with scene.json() as document:
        last = {row["testCase"]["description"]: row for row in rows(document) if row["success"]}
        for name in sorted(last)[:12]:
            rows(document).remove(last[name])
        restate(document)


@doctored(PROMPTFOO_REPEATED, "more rows than are declared")
def promptfoo_one_more_repeat(scene: Scene) -> None:
    """Cases that failed were run a third time."""
    with scene.json() as document:
        for number, row in enumerate([row for row in rows(document) if not row["success"]]):
            again = deepcopy(row)
            again.update(testIdx=400 + number, id=f"again-{number}")
            succeed(again)
            rows(document).append(again)
        restate(document)


@doctored(PROMPTFOO_WITHOUT_NUMBER, "not enough cases;")
def promptfoo_too_few_to_tell(scene: Scene) -> None:
    """All of ten cases pass, which happens by chance, too."""
    scene.take("promptfoo/small.json")


@doctored(PROMPTFOO_WITHOUT_NUMBER, "not enough cases;")
def promptfoo_one_case(scene: Scene) -> None:
    """A single case passes."""
    with scene.json() as document:
        del rows(document)[1:]
        restate(document)
