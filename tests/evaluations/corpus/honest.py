"""The table of honest files, each of which must be accepted.

They look odd in some way that has nothing to do with whether the results are good.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from tests.attacks.decisions import pair
from tests.evaluations.corpus.bases import (
    DEEPEVAL,
    DEEPEVAL_ALONE,
    DEEPEVAL_SCORED,
    EVIDENTLY,
    EVIDENTLY_SNAPSHOT,
    FRESH,
    INSPECT,
    INSPECT_EVAL,
    INSPECT_SMALL,
    JUNIT,
    JUNIT_SMALL,
    LM_EVAL,
    LM_EVAL_DIGEST,
    LM_EVAL_SAMPLES,
    PROMPTFOO,
    PROMPTFOO_ALL,
    PROMPTFOO_COMPARED,
    PROMPTFOO_DIGEST,
    PROMPTFOO_PINNED,
    PROMPTFOO_SCORED,
    RAGAS,
    RAGAS_JSON,
)
from tests.evaluations.corpus.doctored_promptfoo import add_prompt, fail, restate
from tests.evaluations.corpus.scene import AT, BEFORE, OTHER_COMMIT, Base, Scene
from tests.hosts.repository import git

Act = Callable[[Scene], None]
JEST: Final = '<testsuites name="jest tests" tests="200" failures="4" errors="0" time="2.1">'


@dataclass(frozen=True, slots=True, kw_only=True)
class Honest:
    """A row of the table."""

    name: str
    story: str
    """The oddity of the file, in one sentence."""
    base: Base
    act: Act


HONEST: Final[list[Honest]] = []


def honest(base: Base) -> Callable[[Act], Act]:
    """Register a function as a row of the table."""

    def register(act: Act) -> Act:
        name = act.__name__
        assert all(row.name != name for row in HONEST), name
        assert act.__doc__, name
        HONEST.append(Honest(name=name, story=act.__doc__, base=base, act=act))
        return act

    return register


def asking(base: Base, **keys: Any) -> Base:
    """Return a base whose requirement has other keys."""
    return replace(base, requirement={**base.requirement, **keys})


@honest(PROMPTFOO)
def promptfoo(scene: Scene) -> None:
    """196 of 200 pass, and 95% are asked for."""


@honest(PROMPTFOO_ALL)
def promptfoo_all_checks(scene: Scene) -> None:
    """Every check counts."""


@honest(PROMPTFOO_PINNED)
def promptfoo_with_pinned_cases(scene: Scene) -> None:
    """The policy lists the cases, and all of them are there."""


@honest(PROMPTFOO_SCORED)
def promptfoo_with_a_score(scene: Scene) -> None:
    """The policy has a bar for each case."""


@honest(PROMPTFOO)
def promptfoo_errors_above_the_bar(scene: Scene) -> None:
    """Six cases errored and two failed: 192 of 200 is 96%."""
    scene.take("promptfoo/errors.json")


@honest(asking(PROMPTFOO, at_least="98%"))
def promptfoo_exactly_the_bar(scene: Scene) -> None:
    """196 of 200 is exactly 98%."""


@honest(
    Base(
        source="promptfoo/fail.json",
        requirement={"evaluation": "faithfulness", **FRESH, "at_least": "75%"},
    )
)
def promptfoo_with_a_lower_bar(scene: Scene) -> None:
    """150 of 200 is exactly the 75% that this policy asks for."""


@honest(
    Base(
        source="promptfoo/pass.json",
        requirement={"evaluation": "faithfulness", "at_least": "90%", "max_age": "24h"},
    )
)
def promptfoo_without_a_number_of_cases(scene: Scene) -> None:
    """No number of cases is asked for, and the interval of 196 of 200 is above 90%."""


@honest(PROMPTFOO)
def promptfoo_byte_order_mark(scene: Scene) -> None:
    """An editor has put a byte order mark at the beginning."""
    scene.write(b"\xef\xbb\xbf" + scene.file.read_bytes())


@honest(PROMPTFOO)
def promptfoo_indented(scene: Scene) -> None:
    """The file is indented and has the line ends of Windows."""
    text = json.dumps(json.loads(scene.file.read_bytes()), indent=2)
    scene.write(text.replace("\n", "\r\n"))


@honest(PROMPTFOO)
def promptfoo_rows_in_another_order(scene: Scene) -> None:
    """Several cases ran at once, so that the rows are in the order of their ends."""
    with scene.json() as document:
        document["results"]["results"].reverse()


@honest(PROMPTFOO)
def promptfoo_long_names(scene: Scene) -> None:
    """The names of the cases are whole paragraphs in several scripts."""
    with scene.json() as document:
        for row in document["results"]["results"]:
            name = row["testCase"]["description"] + " Straße 東京 🙂 \u200d" + "long " * 400
            row["testCase"]["description"] = name
            row["metadata"]["case_id"] = row["testCase"]["metadata"]["case_id"] = name


@honest(PROMPTFOO)
def promptfoo_more_keys(scene: Scene) -> None:
    """A newer release of the tool has more keys everywhere."""
    with scene.json() as document:
        document["traces"] = [{"a": 1}]
        document["results"]["stats"]["durationMs"] = 5
        for row in document["results"]["results"]:
            row["newKey"] = {"nested": [1, 2, {"x": None}]}


@honest(PROMPTFOO)
def promptfoo_two_shards(scene: Scene) -> None:
    """The cases were run in two jobs at once."""
    for start, name in ((0, "evals/run.json"), (100, "evals/second.json")):
        scene.take("promptfoo/pass.json", name)
        with scene.json(name) as document:
            kept = document["results"]["results"][start : start + 100]
            document["results"]["results"] = kept
            good = sum(row["success"] for row in kept)
            document["results"]["stats"].update(successes=good, failures=100 - good)
            metrics = document["results"]["prompts"][0]["metrics"]
            metrics.update(testPassCount=good, testFailCount=100 - good)


@honest(asking(PROMPTFOO, repeats=2))
def promptfoo_declared_repeats(scene: Scene) -> None:
    """Each case was run twice, as the policy says."""
    scene.take("promptfoo/repeat.json")


@honest(PROMPTFOO)
def promptfoo_two_prompts(scene: Scene) -> None:
    """Each case was run with two prompts, as the file says, and all rows of a case passed."""
    with scene.json() as document:
        add_prompt(document)
        restate(document)


@honest(PROMPTFOO)
def promptfoo_beside_other_commits(scene: Scene) -> None:
    """Failed results of another commit lie beside the ones of this commit."""
    failed = scene.honest("promptfoo/fail.json")
    scene.write(failed.replace(scene.head.encode(), OTHER_COMMIT.encode()), "evals/other.json")


@honest(PROMPTFOO)
def promptfoo_short_commit(scene: Scene) -> None:
    """The tag has the first 8 digits of the commit."""
    scene.replace(scene.head, scene.head[:8])


@honest(PROMPTFOO)
def promptfoo_clock_slightly_ahead(scene: Scene) -> None:
    """The clock of the runner is two minutes ahead of the one that checks."""
    scene.replace("2026-11-28T22:51:51", "2026-11-28T23:32:00")


@honest(PROMPTFOO)
def promptfoo_old_mtime(scene: Scene) -> None:
    """The archive keeps the time of another day as that of the last change."""
    scene.touch(AT - timedelta(days=40))


@honest(PROMPTFOO)
def promptfoo_attested(scene: Scene) -> None:
    """The run also attests to a file that names its commit itself."""
    scene.attest()


@honest(DEEPEVAL)
def deepeval(scene: Scene) -> None:
    """The run attests to the file, which has no time."""


@honest(DEEPEVAL_ALONE)
def deepeval_by_its_hyperparameters(scene: Scene) -> None:
    """The hyperparameters have the commit, and the policy does not ask for an age."""


@honest(DEEPEVAL)
def deepeval_errors_above_the_bar(scene: Scene) -> None:
    """Six cases errored and two failed: 192 of 200 is 96%."""
    scene.take("deepeval/errors.latest_test_run.json")


@honest(DEEPEVAL)
def deepeval_of_its_test_runner(scene: Scene) -> None:
    """The test runner leaves out both score and error of a case that errored."""
    scene.take("deepeval/testrun_errors.latest_test_run.json")


@honest(DEEPEVAL_SCORED)
def deepeval_with_a_higher_threshold_of_its_own(scene: Scene) -> None:
    """The tool's own threshold is stricter than the policy's score."""
    with scene.json() as document:
        for case in document["testRunData"]["testCases"]:
            case["metricsData"][0]["threshold"] = 0.9


@honest(DEEPEVAL)
def deepeval_without_the_wrapper(scene: Scene) -> None:
    """The file of the whole run has the same content without the outer object."""
    with scene.json() as document:
        run = document.pop("testRunData")
        document.update(run)


@honest(RAGAS)
def ragas(scene: Scene) -> None:
    """The run attests to the table, which has neither a time nor a commit."""


@honest(RAGAS)
def ragas_with_line_ends_of_windows(scene: Scene) -> None:
    """The table has the line ends of Windows and a byte order mark."""
    scene.write(b"\xef\xbb\xbf" + scene.file.read_bytes().replace(b"\n", b"\r\n"))


@honest(RAGAS)
def ragas_long_question(scene: Scene) -> None:
    """A question has 200,000 characters, more than Python's parser of tables takes by itself."""
    scene.replace("What is 20 plus", "What is " + "x" * 200_000, 1)


@honest(DEEPEVAL)
def deepeval_without_names(scene: Scene) -> None:
    """The cases have no names, and each has a question of its own."""
    with scene.json() as document:
        for case in document["testRunData"]["testCases"]:
            case["name"] = None


@honest(RAGAS)
def ragas_errors_above_the_bar(scene: Scene) -> None:
    """Six cells are empty and two are 0: 192 of 200 is 96%."""
    scene.take("ragas/errors.csv")


@honest(RAGAS_JSON)
def ragas_records(scene: Scene) -> None:
    """The table is written as JSON."""


@honest(INSPECT)
def inspect(scene: Scene) -> None:
    """196 of 200 samples are correct."""


@honest(INSPECT)
def inspect_errors_above_the_bar(scene: Scene) -> None:
    """Four samples errored, two ran into the limit and two are wrong: 192 of 200 is 96%."""
    scene.take("inspect/errors.json")


@honest(INSPECT_SMALL)
def inspect_epochs_of_its_own(scene: Scene) -> None:
    """Each sample was run in two epochs, as the log says."""
    scene.take("inspect/epochs.json")


@honest(INSPECT)
def inspect_partial_scores_above_the_bar(scene: Scene) -> None:
    """The four wrong answers are partially right, which is no pass."""
    scene.replace('"value":"I"', '"value":"P"')
    with scene.json() as document:
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.99


@honest(asking(INSPECT_SMALL, repeats=2))
def inspect_declared_epochs(scene: Scene) -> None:
    """Each sample was run in two epochs, as the policy says."""
    scene.take("inspect/epochs.json")


@honest(INSPECT_SMALL)
def inspect_numbers_as_ids(scene: Scene) -> None:
    """The ids of the samples are numbers, which the tool gives to samples without ids."""
    with scene.json() as document:
        for number, sample in enumerate(document["samples"], start=1):
            sample["id"] = number
        document["eval"]["dataset"]["sample_ids"] = list(range(1, 11))


@honest(INSPECT_EVAL)
def inspect_archive(scene: Scene) -> None:
    """The log is the archive that the tool writes by default."""


@honest(LM_EVAL)
def lm_eval(scene: Scene) -> None:
    """The results have only totals, and their standard error proves that cases pass or fail."""


@honest(LM_EVAL_SAMPLES)
def lm_eval_samples(scene: Scene) -> None:
    """The run attests to the samples, which have neither a time nor a commit."""


@honest(EVIDENTLY)
def evidently(scene: Scene) -> None:
    """The run attests to the report, which has neither a time nor a commit."""


@honest(EVIDENTLY)
def evidently_errors_above_the_bar(scene: Scene) -> None:
    """Six values are missing and two are 0: 192 of 200 is 96%."""
    scene.take("evidently/errors.json")


@honest(EVIDENTLY_SNAPSHOT)
def evidently_snapshot(scene: Scene) -> None:
    """The snapshot names its commit, and the run attests to it."""


@honest(JUNIT)
def junit(scene: Scene) -> None:
    """The run attests to the report of pytest."""


@honest(JUNIT)
def junit_errors_above_the_bar(scene: Scene) -> None:
    """Four tests failed and four errored: 192 of 200 is 96%."""
    scene.take("junit/errors.xml")


@honest(JUNIT)
def junit_of_several_processes(scene: Scene) -> None:
    """The tests ran in two processes at once."""
    scene.take("junit/xdist.xml")


@honest(JUNIT_SMALL)
def junit_of_promptfoo(scene: Scene) -> None:
    """The report was written by promptfoo."""
    scene.take("promptfoo/small.junit.xml")


@honest(JUNIT)
def junit_in_utf_16(scene: Scene) -> None:
    """The report is in UTF-16 and says so."""
    text = scene.file.read_text(encoding="utf-8").replace('"utf-8"', '"utf-16"')
    scene.write(text.encode("utf-16"))


@honest(JUNIT)
def junit_with_output(scene: Scene) -> None:
    """The report has the output of the tests, in which words such as failure are."""
    scene.replace(
        "</testsuite>",
        "<system-out><![CDATA[<failure/> <!DOCTYPE x> error]]></system-out></testsuite>",
    )


@honest(JUNIT)
def junit_without_the_outer_element(scene: Scene) -> None:
    """The root is the suite itself."""
    text = scene.file.read_text(encoding="utf-8")
    scene.write(re.sub(r"</?testsuites[^>]*>", "", text))


@honest(PROMPTFOO)
def service_in_a_folder_of_the_repository(scene: Scene) -> None:
    """The service is in a folder of its own, where the tool and the check run."""
    service = scene.folder / "services" / "chat"
    scene.folder.rename(scene.folder.with_name("moved"))
    service.parent.mkdir(parents=True)
    scene.folder.with_name("moved").rename(service)
    (service / ".git").rename(scene.folder / ".git")
    git(scene.folder, "add", "--all", ":!services/chat/evals")
    git(scene.folder, "commit", "--quiet", "--message=move")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    scene.folder = service
    scene.replace(head, scene.head)


@honest(PROMPTFOO)
def results_of_the_commit_elsewhere(scene: Scene) -> None:
    """The commit has an old result of its own in another folder, which nobody looks at."""
    scene.take("promptfoo/fail.json", "docs/run.json")
    git(scene.folder, "add", "docs")
    git(scene.folder, "commit", "--quiet", "--message=docs")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    scene.replace(head, scene.head)


@honest(PROMPTFOO_COMPARED)
def compared(scene: Scene) -> None:
    """All cases come out as they did at the base."""


@honest(PROMPTFOO_COMPARED)
def compared_and_better(scene: Scene) -> None:
    """The base failed every fourth case."""
    failed = scene.honest("promptfoo/fail.json")
    scene.write(failed.replace(scene.head.encode(), scene.before.encode()), BEFORE)


@honest(PROMPTFOO_COMPARED)
def compared_with_an_older_base(scene: Scene) -> None:
    """The base was evaluated last week, and its age does not matter."""
    text = (scene.folder / BEFORE).read_text(encoding="utf-8")
    scene.write(text.replace("2026-11-28T", "2026-11-20T"), BEFORE)


@honest(PROMPTFOO_COMPARED)
def compared_with_more_cases(scene: Scene) -> None:
    """The change brings more cases than its base had."""
    with scene.json(BEFORE) as document:
        document["results"]["results"] = document["results"]["results"][:150]
        good = sum(row["success"] for row in document["results"]["results"])
        document["results"]["stats"].update(successes=good, failures=150 - good)
        metrics = document["results"]["prompts"][0]["metrics"]
        metrics.update(testPassCount=good, testFailCount=150 - good)


@honest(PROMPTFOO)
def promptfoo_without_descriptions(scene: Scene) -> None:
    """The tests have variables and metadata of their own, and no description."""
    with scene.json() as document:
        for number, row in enumerate(document["results"]["results"]):
            del row["testCase"]["description"]
            row["vars"] = row["testCase"]["vars"] = {"q": f"What is {number} plus 1?"}


@honest(PROMPTFOO)
def promptfoo_one_description_for_all(scene: Scene) -> None:
    """The tests share a description, and have variables of their own."""
    with scene.json() as document:
        for number, row in enumerate(document["results"]["results"]):
            row["testCase"]["description"] = "a sum"
            row["vars"] = row["testCase"]["vars"] = {"q": f"What is {number} plus 1?"}


@honest(asking(PROMPTFOO, score=0.7))
def promptfoo_graded_by_a_model(scene: Scene) -> None:
    """A model grades each answer between 0 and 1, and the assertion has a threshold."""
    with scene.json() as document:
        for row in document["results"]["results"]:
            if not row["success"]:
                continue
            row["testCase"]["assert"][0].update(type="llm-rubric", threshold=0.7)
            row.update(score=0.85, namedScores={"faithfulness": 0.85})
            row["gradingResult"].update(score=0.85, namedScores={"faithfulness": 0.85})
            row["gradingResult"]["componentResults"][0]["score"] = 0.85
            row["gradingResult"]["componentResults"][0]["assertion"]["threshold"] = 0.7


@honest(PROMPTFOO)
def promptfoo_several_metrics(scene: Scene) -> None:
    """Each test has a second assertion with a metric of its own."""
    with scene.json() as document:
        for row in document["results"]["results"]:
            row["namedScores"]["tone"] = 1
            row["gradingResult"]["namedScores"]["tone"] = 1
            row["testCase"]["assert"].append({"type": "javascript", "metric": "tone"})
            row["gradingResult"]["componentResults"].append(
                {
                    "pass": True,
                    "score": 1,
                    "reason": "Assertion passed",
                    "assertion": {"type": "javascript", "metric": "tone"},
                }
            )


@honest(PROMPTFOO)
def promptfoo_commit_in_capitals(scene: Scene) -> None:
    """The tag has the commit in capital letters."""
    scene.replace(scene.head, scene.head.upper())


@honest(PROMPTFOO)
def promptfoo_another_zone(scene: Scene) -> None:
    """The times have the zone of the runner."""
    scene.replace("2026-11-28T22:51:51.437Z", "2026-11-29T00:51:51.437+02:00")


@honest(asking(PROMPTFOO, **{"from": ["evals/**/*.json"]}))
def promptfoo_in_folders(scene: Scene) -> None:
    """Each job writes into a folder of its own."""
    folder = scene.folder / "evals" / "job 1" / "out"
    folder.mkdir(parents=True)
    scene.file.rename(folder / "results.json")


@honest(asking(DEEPEVAL, score=0.5))
def deepeval_graded_by_a_model(scene: Scene) -> None:
    """A model grades each answer between 0 and 1, above the threshold or below."""
    with scene.json() as document:
        run = document["testRunData"]
        for case in run["testCases"]:
            case["metricsData"][0]["score"] = 0.82 if case["success"] else 0.31
        run["metricsScores"][0]["scores"] = [
            case["metricsData"][0]["score"] for case in run["testCases"]
        ]


@honest(DEEPEVAL)
def deepeval_several_metrics(scene: Scene) -> None:
    """Each case has a second metric, which never fails."""
    with scene.json() as document:
        run = document["testRunData"]
        for case in run["testCases"]:
            first = case["metricsData"][0]
            case["metricsData"].append({**first, "name": "Tone", "score": 0.9, "success": True})
        run["metricsScores"].append(
            {"metric": "Tone", "scores": [0.9] * 200, "passes": 200, "fails": 0, "errors": 0}
        )


@honest(asking(RAGAS, score=0.8))
def ragas_between_0_and_1(scene: Scene) -> None:
    """The scores are between 0 and 1, and the policy says which is enough."""
    text = scene.file.read_text(encoding="utf-8")
    scene.write(re.sub(r",1\.0$", ",0.9166666666", text, flags=re.MULTILINE))


@honest(RAGAS)
def ragas_with_more_columns(scene: Scene) -> None:
    """The table has an index, several lines in a cell, and a second metric."""
    lines = scene.file.read_text(encoding="utf-8").splitlines()
    rows = [
        f'{number},"{line.split(",")[0]}\nPlease, be brief."' for number, line in enumerate(lines)
    ]
    texts = [f"{row},{line.split(',', 1)[1]},0.5" for row, line in zip(rows, lines, strict=True)]
    texts[0] = f",user_input,{lines[0].split(',', 1)[1]},tone"
    scene.write("\n".join(texts) + "\n")


@honest(RAGAS_JSON)
def ragas_lines(scene: Scene) -> None:
    """The table is written as JSON lines."""
    rows = json.loads(scene.file.read_bytes())
    scene.write("\n".join(json.dumps(row) for row in rows) + "\n")


@honest(asking(INSPECT, score=0.7))
def inspect_graded_by_a_model(scene: Scene) -> None:
    """A model grades each answer between 0 and 1, and the policy says which is enough."""
    with scene.json() as document:
        values = {"C": 0.75, "I": 0.25}
        for sample in document["samples"]:
            score = sample["scores"]["match"]
            score["value"] = values[score["value"]]
        metrics = document["results"]["scores"][0]["metrics"]
        metrics["accuracy"]["value"] = (196 * 0.75 + 4 * 0.25) / 200


@honest(INSPECT)
def inspect_several_scorers(scene: Scene) -> None:
    """A second scorer marks each sample by its own lights."""
    with scene.json() as document:
        first = document["results"]["scores"][0]
        metrics = {"accuracy": {**first["metrics"]["accuracy"], "value": 1.0}}
        document["results"]["scores"].append(
            {**first, "name": "polite", "scorer": "polite", "metrics": metrics}
        )
        for sample in document["samples"]:
            sample["scores"]["polite"] = {"value": "C"}


@honest(LM_EVAL)
def lm_eval_several_tasks(scene: Scene) -> None:
    """The file has a second, harder task, which the policy does not ask about."""
    with scene.json() as document:
        for name in ("results", "versions", "n-shot", "higher_is_better", "n-samples", "configs"):
            document[name]["proofs"] = json.loads(json.dumps(document[name]["sums"]))
        document["results"]["proofs"].update(
            {"exact_match,none": 0.5, "exact_match_stderr,none": 0.0354440602504168}
        )


@honest(JUNIT)
def junit_of_jest(scene: Scene) -> None:
    """The root has totals, the suites are files, and the times have no zone."""
    text = scene.file.read_text(encoding="utf-8")
    text = re.sub(r'timestamp="([^"+.]*)[^"]*"', r'timestamp="\1"', text)
    text = text.replace('<testsuites name="pytest tests">', JEST)
    scene.write(re.sub(r"<properties>.*?</properties>", "", text))


@honest(JUNIT)
def junit_of_suites_in_suites(scene: Scene) -> None:
    """A suite has the suites of its classes, and all of them count."""
    text = scene.file.read_text(encoding="utf-8")
    cases = re.findall(r"<testcase .*?</testcase>", text)
    parts = []
    for start in (0, 100):
        part = cases[start : start + 100]
        failures = sum("<failure" in case for case in part)
        parts.append(
            f'<testsuite name="part {start}" tests="100" failures="{failures}" errors="0"'
            f' timestamp="2026-11-28T22:54:12Z">{"".join(part)}</testsuite>'
        )
    scene.write(
        f'<?xml version="1.0"?><testsuites><testsuite name="all" tests="200" failures="4">'
        f"{''.join(parts)}</testsuite></testsuites>"
    )


@honest(JUNIT)
def junit_some_skipped(scene: Scene) -> None:
    """Four tests are skipped and four fail: 192 of 200 is 96%."""
    text = scene.file.read_text(encoding="utf-8")
    text = text.replace(
        "</properties></testcase>", '</properties><skipped message="no key" /></testcase>', 4
    )
    scene.write(text.replace('skipped="0"', 'skipped="4"'))


@honest(DEEPEVAL)
def attested_and_moved(scene: Scene) -> None:
    """The file and its attestation were brought from another job, and are in another folder."""
    scene.attest()
    for path in sorted((scene.folder / "evals").iterdir()):
        path.rename(path.with_name(path.name.replace(".latest_test_run", "of another job")))


@honest(JUNIT)
def attested_with_a_key_pair(scene: Scene) -> None:
    """The evaluation signs with a private key, and the check has only the public one."""
    private, public = pair()
    scene.environment = {"GATE_SIGNING_KEY": private}
    scene.attest()
    scene.environment = {"GATE_VERIFY_KEY": public}


@honest(PROMPTFOO_DIGEST)
def promptfoo_with_the_hash_of_its_cases(scene: Scene) -> None:
    """The policy has the hash of the ids."""


@honest(LM_EVAL_DIGEST)
def lm_eval_with_the_hash_of_its_questions(scene: Scene) -> None:
    """The policy has the hash that the tool takes of the questions."""


@honest(PROMPTFOO)
def promptfoo_exactly_as_old_as_allowed(scene: Scene) -> None:
    """The run was exactly 24 hours before the check."""
    scene.replace("2026-11-28T22:51:51.437Z", "2026-11-27T23:30:00.000Z")
    scene.replace("2026-11-28T22:51:51", "2026-11-27T23:30:00")


@honest(PROMPTFOO)
def promptfoo_exactly_enough(scene: Scene) -> None:
    """190 of 200 is exactly the bar."""
    with scene.json() as document:
        for row in document["results"]["results"][:6]:
            fail(row)
        restate(document)
