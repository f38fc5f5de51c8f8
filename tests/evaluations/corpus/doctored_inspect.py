"""Doctored logs of Inspect, as JSON and as archives."""

import io
import struct
import zipfile
from typing import Any

from tests.evaluations.corpus.bases import INSPECT, INSPECT_EVAL, INSPECT_SCORED, INSPECT_SMALL
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import OTHER_COMMIT, Scene, packed_again

Json = Any


def restate(document: Json) -> None:
    """Make the results agree with the samples, as the tool would have counted them."""
    samples = document["samples"]
    results = document["results"]
    scored = [sample for sample in samples if sample["scores"]]
    correct = sum(sample["scores"]["match"]["value"] == "C" for sample in scored)
    results.update(
        total_samples=len(samples),
        completed_samples=sum("error" not in sample for sample in samples),
    )
    results["scores"][0].update(scored_samples=len(scored))
    results["scores"][0]["metrics"]["accuracy"]["value"] = correct / max(1, len(scored))


def crash(sample: Json) -> None:
    """Make a sample into one that raised an exception, as the tool writes it."""
    sample["scores"] = {}
    sample["error"] = {"message": "RuntimeError('provider answered 503')", "traceback": ""}


@doctored(INSPECT, "150 of 200", ends=BLOCKED)
def inspect_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong."""
    scene.take("inspect/fail.json")


@doctored(INSPECT, "12 errored", ends=BLOCKED)
def inspect_errored(scene: Scene) -> None:
    """Twelve samples raised exceptions, which the tool leaves out of its accuracy."""
    with scene.json() as document:
        for sample in document["samples"][:12]:
            crash(sample)
        restate(document)


@doctored(INSPECT, "198 errored", ends=BLOCKED)
def inspect_all_errored(scene: Scene) -> None:
    """The model always failed, and the log's status is success."""
    scene.take("inspect/all_errored.json")


@doctored(INSPECT, "the run is not finished")
def inspect_ended_by_an_error(scene: Scene) -> None:
    """The first exception ended the run, for which the tool exits with 0."""
    scene.take("inspect/fail_on_error.json")


@doctored(INSPECT, "the run is not finished")
def inspect_cancelled(scene: Scene) -> None:
    """The run was cancelled after 43 of 200 samples, all of which passed."""
    scene.take("inspect/half_INT.json")


@doctored(INSPECT, "counts 43 of 200 samples")
def inspect_cancelled_and_called_a_success(scene: Scene) -> None:
    """Somebody changes the status of a cancelled run to success."""
    scene.take("inspect/half_INT.json")
    scene.replace('"status":"cancelled"', '"status":"success"')


@doctored(INSPECT, "the run is not finished")
def inspect_started(scene: Scene) -> None:
    """The run was killed, and its log is as it was at the start."""
    scene.take("inspect/half_KILL.json")


@doctored(INSPECT, "the run is not finished")
def inspect_started_with_everything(scene: Scene) -> None:
    """The status is still started, although all samples are there."""
    scene.replace('"status":"success"', '"status":"started"')


@doctored(INSPECT, "the run is not finished")
def inspect_status_unknown(scene: Scene) -> None:
    """The status is a word that the tool does not have."""
    scene.replace('"status":"success"', '"status":"SUCCESS!"')


@doctored(INSPECT, "the log was invalidated")
def inspect_invalidated(scene: Scene) -> None:
    """A reviewer has declared the log invalid."""
    scene.replace('"invalidated":false', '"invalidated":true')


@doctored(INSPECT, "the log was invalidated")
def inspect_invalidated_by_a_word(scene: Scene) -> None:
    """The log is declared invalid with a word, which is no truth value."""
    scene.replace('"invalidated":false', '"invalidated":"yes"')


@doctored(INSPECT, "only 50 of 200")
def inspect_limited(scene: Scene) -> None:
    """Only the first 50 samples of 200 were run."""
    scene.take("inspect/limit.json")


@doctored(INSPECT_SMALL, "only 2 of 200")
def inspect_chosen_samples(scene: Scene) -> None:
    """Only two samples that pass were chosen by their ids."""
    scene.take("inspect/sampleid.json")


@doctored(INSPECT_SMALL, "only 50 of 200")
def inspect_limited_to_enough_cases(scene: Scene) -> None:
    """The run was limited to as many cases as the policy asks for, of a larger dataset."""
    scene.take("inspect/limit.json")


@doctored(INSPECT_SMALL, "2 missing", ends=BLOCKED)
def inspect_samples_missing(scene: Scene) -> None:
    """Two samples of twelve in the dataset have no row."""
    with scene.json() as document:
        document["eval"]["dataset"]["samples"] = 12
        document["eval"]["dataset"]["sample_ids"] += ["q-011", "q-012"]


@doctored(INSPECT_SMALL, "5 of 5 cases passed")
def inspect_epochs_as_cases(scene: Scene) -> None:
    """Five cases were run twice, which is ten rows and not ten cases."""
    with scene.json() as document:
        half = document["samples"][:5]
        document["samples"] = [*half, *({**sample, "epoch": 2} for sample in half)]
        document["eval"]["config"]["epochs"] = 2
        dataset = document["eval"]["dataset"]
        dataset.update(samples=5, sample_ids=dataset["sample_ids"][:5])


@doctored(INSPECT_SMALL, "more rows than are declared")
def inspect_epochs_not_declared(scene: Scene) -> None:
    """Ten cases were run twice, and somebody sets the number of epochs to one."""
    scene.take("inspect/epochs.json")
    scene.replace('"epochs":2', '"epochs":1')


@doctored(INSPECT_SMALL, "two samples of the same id and epoch")
def inspect_epochs_all_called_the_first(scene: Scene) -> None:
    """Ten cases were run twice, and every row says that it is of the first epoch."""
    scene.take("inspect/epochs.json")
    scene.replace('"epoch":2', '"epoch":1')


@doctored(INSPECT, "the checkout had changes")
def inspect_dirty(scene: Scene) -> None:
    """The checkout had changes that were not committed."""
    scene.replace('"dirty":false', '"dirty":true')


@doctored(INSPECT, "the checkout had changes")
def inspect_dirty_is_not_there(scene: Scene) -> None:
    """Somebody removes the mark of a changed checkout and leaves a word instead."""
    scene.replace('"dirty":false', '"dirty":"no idea"')


@doctored(INSPECT, "is about another commit")
def inspect_other_commit(scene: Scene) -> None:
    """The log is about another commit."""
    scene.replace(scene.head[:7], OTHER_COMMIT[:7])


@doctored(INSPECT, "does not say which commit it is about")
def inspect_six_digits(scene: Scene) -> None:
    """The commit was shortened to six digits."""
    scene.replace(f'"{scene.head[:7]}"', f'"{scene.head[:6]}"')


@doctored(INSPECT, "does not say which commit it is about")
def inspect_empty_commit(scene: Scene) -> None:
    """The commit is empty, with which every commit begins."""
    scene.replace(f'"{scene.head[:7]}"', '""')


@doctored(INSPECT, "does not say which commit it is about")
def inspect_outside_of_git(scene: Scene) -> None:
    """The run was outside of a repository."""
    with scene.json() as document:
        del document["eval"]["revision"]


@doctored(INSPECT, "is too old")
def inspect_old(scene: Scene) -> None:
    """The log is three days old."""
    scene.replace("2026-11-28T", "2026-11-25T")


@doctored(INSPECT, "later than this check")
def inspect_future(scene: Scene) -> None:
    """The clock of the machine was a day ahead."""
    scene.replace("2026-11-28T", "2026-11-29T")


@doctored(INSPECT, "its times contradict each other")
def inspect_created_renewed(scene: Scene) -> None:
    """Somebody renews when the log was created, and leaves when it started and ended."""
    scene.replace("2026-11-28T", "2026-11-25T")
    with scene.json() as document:
        document["eval"]["created"] = "2026-11-28T23:20:00+00:00"


@doctored(INSPECT, "does not say when the evaluation ran")
def inspect_without_a_time(scene: Scene) -> None:
    """The times are null."""
    with scene.json() as document:
        document["eval"]["created"] = None
        document["stats"].update(started_at="", completed_at="")
        for sample in document["samples"]:
            del sample["started_at"], sample["completed_at"]


@doctored(INSPECT, "its accuracy is not")
def inspect_accuracy_changed(scene: Scene) -> None:
    """Somebody changes the accuracy of a failed run to 1."""
    scene.take("inspect/fail.json")
    with scene.json() as document:
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 1.0


@doctored(INSPECT, "its accuracy is not")
def inspect_samples_changed(scene: Scene) -> None:
    """Somebody changes the samples of a failed run to C, and leaves the accuracy."""
    scene.take("inspect/fail.json")
    scene.replace('"value":"I"', '"value":"C"')


@doctored(INSPECT_SCORED, "its accuracy is not")
def inspect_samples_changed_under_a_bar(scene: Scene) -> None:
    """Somebody changes the samples of a failed run, whose policy has a bar of its own."""
    scene.take("inspect/fail.json")
    scene.replace('"value":"I"', '"value":"C"')


@doctored(INSPECT, "counts 400 of 400 samples")
def inspect_total_changed(scene: Scene) -> None:
    """The results count more samples than there are."""
    with scene.json() as document:
        document["results"].update(total_samples=400, completed_samples=400)


@doctored(INSPECT, "150 of 200 cases passed", ends=BLOCKED)
def inspect_partial(scene: Scene) -> None:
    """Every fourth answer is partially correct."""
    scene.take("inspect/fail.json")
    scene.replace('"value":"I"', '"value":"P"')
    with scene.json() as document:
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.875


@doctored(INSPECT, "a score is not a finite number")
def inspect_lower_case(scene: Scene) -> None:
    """The wrong answers have a mark that the tool never writes."""
    scene.take("inspect/fail.json")
    scene.replace('"value":"I"', '"value":"c"')


@doctored(INSPECT, "a score is not a finite number")
def inspect_marks_are_lists(scene: Scene) -> None:
    """The marks are lists that begin with C."""
    scene.take("inspect/fail.json")
    scene.replace('"value":"I"', '"value":["C"]')


@doctored(INSPECT, "12 errored", ends=BLOCKED)
def inspect_error_and_a_score(scene: Scene) -> None:
    """Samples that raised an exception are marked C."""
    with scene.json() as document:
        for sample in document["samples"][:12]:
            sample["error"] = {"message": "RuntimeError('provider answered 503')"}
        document["results"]["completed_samples"] = 188
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 184 / 188


@doctored(INSPECT, "lack the scorer")
def inspect_unscored(scene: Scene) -> None:
    """The scorer gave no score to twelve samples."""
    with scene.json() as document:
        for sample in document["samples"][:12]:
            sample["scores"] = {}
        restate(document)
        document["results"]["scores"][0]["unscored_samples"] = 12


@doctored(INSPECT, "match")
def inspect_other_scorer(scene: Scene) -> None:
    """The scorer is one that only asks whether there is an answer."""
    scene.replace('"match"', '"includes"')


@doctored(INSPECT, "150 of 200", ends=BLOCKED)
def inspect_headline_of_another_scorer(scene: Scene) -> None:
    """The headline is of a second scorer, which passes everything."""
    scene.take("inspect/fail.json")
    with scene.json() as document:
        results = document["results"]
        lax = {**results["scores"][0], "name": "lax", "scorer": "lax"}
        lax["metrics"] = {"accuracy": {"name": "accuracy", "value": 1.0, "params": {}}}
        results["scores"].append(lax)
        results["headline"] = {"scorer": "lax", "score": "lax", "metric": "accuracy"}
        for sample in document["samples"]:
            sample["scores"]["lax"] = {"value": "C"}


@doctored(INSPECT, "counts 200 of 200 samples")
def inspect_without_samples(scene: Scene) -> None:
    """The run logged no samples, only the accuracy."""
    with scene.json() as document:
        del document["samples"]


@doctored(INSPECT, "two samples of the same id and epoch")
def inspect_case_twice(scene: Scene) -> None:
    """A sample is in the log twice, in place of a harder one."""
    with scene.json() as document:
        document["samples"][150] = dict(document["samples"][0])


@doctored(INSPECT, "does not announce")
def inspect_failures_replaced_by_new_samples(scene: Scene) -> None:
    """The failed samples are replaced by samples that the dataset does not have."""
    scene.take("inspect/fail.json")
    with scene.json() as document:
        for sample in document["samples"]:
            if sample["scores"]["match"]["value"] == "I":
                sample["id"] = f"x-{sample['id']}"
                sample["scores"]["match"]["value"] = "C"
        restate(document)


@doctored(INSPECT, "its version is")
def inspect_version_unknown(scene: Scene) -> None:
    """The format's version is not known yet."""
    scene.replace('"version":2', '"version":9', 1)


@doctored(INSPECT, "two samples of the same id and epoch")
def inspect_ids_of_several_kinds(scene: Scene) -> None:
    """The ids are lists, numbers and null."""
    with scene.json() as document:
        for number, sample in enumerate(document["samples"]):
            sample["id"] = [number, None, [number]][number % 3]


@doctored(INSPECT_EVAL, "the run is not finished")
def inspect_archive_of_a_killed_run(scene: Scene) -> None:
    """The run was killed, and the archive has no header."""
    scene.take("inspect/half_KILL.eval")


@doctored(INSPECT_EVAL, "counts 200 of 200 samples")
def inspect_archive_without_some_samples(scene: Scene) -> None:
    """Somebody removes the first nine samples from the archive."""
    scene.write(
        packed_again(
            scene.file.read_bytes(),
            lambda name, member: None if name.startswith("samples/q-00") else member,
        )
    )


@doctored(INSPECT_EVAL, "is about another commit")
def inspect_archive_of_another_commit(scene: Scene) -> None:
    """The archive is the honest one of another commit."""
    scene.head = OTHER_COMMIT
    scene.take("inspect/pass.eval")


@doctored(INSPECT_EVAL, "damaged or encrypted")
def inspect_archive_truncated(scene: Scene) -> None:
    """The upload of the archive ended early."""
    scene.write(scene.file.read_bytes()[:-3000])


@doctored(INSPECT_EVAL, "unpacks to far more")
def inspect_archive_bomb(scene: Scene) -> None:
    """The archive's header is 576 megabytes of blanks, which are three when zipped."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("_journal/start.json", "{}")
        with archive.open("header.json", "w", force_zip64=True) as header:
            for _ in range(9):
                header.write(b" " * 64 * 1024 * 1024)
    scene.write(buffer.getvalue())


@doctored(INSPECT_EVAL, "damaged or encrypted")
def inspect_archive_that_lies_about_its_size(scene: Scene) -> None:
    """The archive says that its header has ten bytes, and it has sixteen megabytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b" " * 16 * 1024 * 1024)
        archive.writestr("_journal/start.json", "{}")
    size = struct.pack("<L", 16 * 1024 * 1024)
    scene.write(buffer.getvalue().replace(size, struct.pack("<L", 10)))


@doctored(INSPECT_EVAL, "two of its members")
def inspect_archive_with_two_headers(scene: Scene) -> None:
    """The archive has two headers, one that failed and one that passed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("header.json", scene.honest("inspect/fail.json"))
        archive.writestr("HEADER.json", scene.honest("inspect/pass.json"))
    scene.write(buffer.getvalue().replace(b"HEADER.json", b"header.json"))


@doctored(INSPECT_EVAL, "a zip file, and not a log")
def inspect_archive_of_many_members(scene: Scene) -> None:
    """The archive has thirty thousand empty members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"samples/{number}.json", b"")
    scene.write(buffer.getvalue())


@doctored(INSPECT_EVAL, "a zip file, and not a log")
def inspect_archive_that_climbs(scene: Scene) -> None:
    """The members of the archive have paths that lead out of it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../header.json", scene.honest("inspect/pass.json"))
        archive.writestr("/header.json", scene.honest("inspect/pass.json"))
    scene.write(buffer.getvalue())
