"""Doctorings that leave the content of the results alone: attestations, places, several files."""

import base64
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from tests.evaluations.corpus.bases import DEEPEVAL, JUNIT, PROMPTFOO, PROMPTFOO_PINNED
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import OTHER_COMMIT, Scene, envelope
from tests.hosts.repository import git

SIDECAR = "evals/junit.xml.attestation.json"
Json = Any


@contextmanager
def payload(scene: Scene) -> Iterator[Json]:
    """Give the statement inside of the attestation, and write it back without a new signature."""
    with scene.json(SIDECAR) as envelope:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        yield statement
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()


@doctored(JUNIT, "its attestation does not count: it is about another file", attest=False)
def attestation_of_another_file(scene: Scene) -> None:
    """The attestation of a file that passed lies beside the one that failed."""
    scene.sign()
    scene.take("junit/fail.xml")


@doctored(JUNIT, "its attestation does not count: it is about another file", attest=False)
def attestation_before_a_change(scene: Scene) -> None:
    """The file was changed by one byte after it was attested to."""
    scene.sign()
    scene.write(scene.file.read_bytes() + b"\n")


@doctored(JUNIT, "its attestation does not count: its signature does not match", attest=False)
def attestation_by_another_key(scene: Scene) -> None:
    """Somebody signs with a key of their own."""
    scene.sign(key="a secret that somebody else has made up")


@doctored(
    JUNIT,
    "its attestation does not count: its envelope has not exactly one signature",
    attest=False,
)
def attestation_without_a_signature(scene: Scene) -> None:
    """The list of signatures is empty."""
    scene.sign()
    with scene.json(SIDECAR) as envelope:
        envelope["signatures"] = []


@doctored(JUNIT, "its attestation does not count: its signature does not match", attest=False)
def attestation_with_an_empty_signature(scene: Scene) -> None:
    """The signature is an empty string."""
    scene.sign()
    with scene.json(SIDECAR) as envelope:
        envelope["signatures"][0]["sig"] = ""


@doctored(
    JUNIT,
    "its attestation does not count: its envelope has not exactly one signature",
    attest=False,
)
def attestation_with_odd_signatures(scene: Scene) -> None:
    """The signatures are numbers."""
    scene.sign()
    with scene.json(SIDECAR) as envelope:
        envelope["signatures"] = [1, None, {"sig": 7}, {}]


@doctored(JUNIT, "its attestation does not count: it is not an envelope of an in", attest=False)
def attestation_without_an_envelope(scene: Scene) -> None:
    """The bare statement lies there, which nobody signed."""
    scene.sign()
    envelope = json.loads((scene.folder / SIDECAR).read_bytes())
    scene.write(base64.b64decode(envelope["payload"]), SIDECAR)


@doctored(JUNIT, "is about another commit", attest=False)
def attestation_of_another_commit(scene: Scene) -> None:
    """The attestation was made for another commit."""
    scene.sign(commit=OTHER_COMMIT)


@doctored(JUNIT, "its attestation does not count: its signature does not match", attest=False)
def attestation_with_the_commit_changed(scene: Scene) -> None:
    """Somebody changes the commit of an attestation to this one."""
    scene.sign(commit=OTHER_COMMIT)
    with payload(scene) as statement:
        changed = json.dumps(statement).replace(OTHER_COMMIT, scene.head)
        statement.clear()
        statement.update(json.loads(changed))


@doctored(JUNIT, "its attestation does not count: its signature does not match", attest=False)
def attestation_with_the_hash_changed(scene: Scene) -> None:
    """Somebody changes the hash of an attestation to the one of the failed file."""
    scene.sign()
    scene.take("junit/fail.xml")
    with payload(scene) as statement:
        for subject in statement["subject"]:
            subject["digest"]["sha256"] = sha256(scene.file.read_bytes()).hexdigest()


@doctored(JUNIT, "its attestation does not count: its signature does not match", attest=False)
def attestation_without_a_subject(scene: Scene) -> None:
    """The attestation is about nothing, and so about everything."""
    scene.sign()
    with payload(scene) as statement:
        statement["subject"] = []


@doctored(DEEPEVAL, "is too old", attest=False)
def attestation_of_three_days_ago(scene: Scene) -> None:
    """The attestation says that the run was three days ago."""
    scene.sign(at="2026-11-25T23:00:00Z")


@doctored(DEEPEVAL, "later than this check", attest=False)
def attestation_of_tomorrow(scene: Scene) -> None:
    """The attestation says that the run is tomorrow."""
    scene.sign(at="2026-11-29T23:00:00Z")


@doctored(JUNIT, "its attestation does not count: it is not a", attest=False)
def attestation_that_is_not_json(scene: Scene) -> None:
    """The attestation is an error page of a web server."""
    scene.write("<html>503</html>", SIDECAR)


@doctored(JUNIT, "nested too deeply", attest=False)
def attestation_that_is_deep(scene: Scene) -> None:
    """The attestation is nested a hundred thousand times."""
    scene.write("[" * 100_000, SIDECAR)


@doctored(JUNIT, "its attestation does not count: it is not a", attest=False)
def attestation_that_is_empty(scene: Scene) -> None:
    """The attestation has no content."""
    scene.write("", SIDECAR)


@doctored(JUNIT, "its attestation does not count: it cannot be read", attest=False)
def attestation_that_is_a_folder(scene: Scene) -> None:
    """The attestation is a folder."""
    (scene.folder / SIDECAR).mkdir()


@doctored(
    JUNIT, "its attestation does not count: the payload of its envelope is not base", attest=False
)
def attestation_payload_is_not_base64(scene: Scene) -> None:
    """The payload of the attestation is broken."""
    scene.sign()
    with scene.json(SIDECAR) as envelope:
        envelope["payload"] = "%%%" + envelope["payload"][3:]


@doctored(JUNIT, "its attestation does not count: it is not an envelope of an in", attest=False)
def attestation_of_another_type(scene: Scene) -> None:
    """The payload has another type, for which the signature was not made."""
    scene.sign()
    with scene.json(SIDECAR) as envelope:
        envelope["payloadType"] = "text/plain"


@doctored(JUNIT, "its attestation does not count: it is signed", attest=False)
def attestation_checked_without_a_key(scene: Scene) -> None:
    """The job that checks does not have the key, and cannot know who attested."""
    scene.sign()
    scene.environment.clear()


@doctored(
    JUNIT,
    "its attestation does not count: it is not about the result file of an evaluation",
    attest=False,
)
def attestation_that_says_something_else(scene: Scene) -> None:
    """A statement of another kind about the same file has the right signature."""
    scene.sign()
    parcel = json.loads((scene.folder / SIDECAR).read_bytes())
    statement = json.loads(base64.b64decode(parcel["payload"]))
    statement["predicateType"] = "https://slsa.dev/provenance/v1"
    scene.write(envelope(statement), SIDECAR)


@doctored(JUNIT, "its attestation does not count: it is about another file", attest=False)
def attestation_of_two_files(scene: Scene) -> None:
    """One statement names two files, of which one is the right one."""
    scene.sign()
    parcel = json.loads((scene.folder / SIDECAR).read_bytes())
    statement = json.loads(base64.b64decode(parcel["payload"]))
    statement["subject"].append({"name": "other", "digest": {"sha256": "0" * 64}})
    scene.write(envelope(statement), SIDECAR)


@doctored(
    JUNIT,
    "its attestation does not count: it does not have a whole commit and a time",
    attest=False,
)
def attestation_to_seven_digits(scene: Scene) -> None:
    """The attestation has seven digits of the commit, and not the whole."""
    scene.sign(commit=scene.head[:7])


@doctored(JUNIT, "not the result file of a tool", attest=False)
def attestation_under_another_name(scene: Scene) -> None:
    """The attestation lies where nobody looks for it."""
    scene.sign()
    (scene.folder / SIDECAR).rename(scene.folder / "evals" / "junit.attestation.json")


@doctored(JUNIT, "its attestation that it ran before", attest=False)
def attestation_before_the_run(scene: Scene) -> None:
    """The attestation says that the run was before the time that the results have."""
    scene.sign(at="2026-11-28T20:00:00Z")


@doctored(PROMPTFOO, "the commit itself has this file")
def place_committed(scene: Scene) -> None:
    """The commit itself has a file of results, which the run leaves as it is."""
    head = scene.head
    git(scene.folder, "add", "--force", "evals")
    git(scene.folder, "commit", "--quiet", "--message=evidence")
    scene.head = git(scene.folder, "rev-parse", "HEAD")
    scene.replace(head, scene.head)


@doctored(JUNIT, "is about another commit", attest=False)
def place_committed_and_attested(scene: Scene) -> None:
    """The commit itself has the results, and a careless job attests to whatever is there."""
    git(scene.folder, "add", "--force", "evals")
    git(scene.folder, "commit", "--quiet", "--message=evidence")
    scene.sign()


@doctored(PROMPTFOO, "the commit itself has this file")
def place_link_to_a_committed_file(scene: Scene) -> None:
    """The results are a link to a file that the commit has elsewhere."""
    (scene.folder / "docs").mkdir()
    old = scene.file.rename(scene.folder / "docs" / "results.json")
    git(scene.folder, "add", "--force", "docs")
    git(scene.folder, "commit", "--quiet", "--message=docs")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    old.write_text(old.read_text(encoding="utf-8").replace(head, scene.head), encoding="utf-8")
    scene.file.symlink_to(old)


@doctored(PROMPTFOO, "the commit itself has this file")
def place_link_out_of_the_checkout(scene: Scene) -> None:
    """The results are a link to a file of the machine, outside of the checkout."""
    outside = scene.folder.parent / f"{scene.folder.name}-outside.json"
    scene.file.rename(outside)
    scene.file.symlink_to(outside)


@doctored(PROMPTFOO, "the commit itself has this file")
def place_folder_that_is_a_link(scene: Scene) -> None:
    """The folder of the results is a link to a folder that the commit has."""
    old = (scene.folder / "evals").rename(scene.folder / "kept")
    git(scene.folder, "add", "--force", "kept")
    git(scene.folder, "commit", "--quiet", "--message=kept")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    (scene.folder / "evals").symlink_to(old)
    scene.replace(head, scene.head)


@doctored(PROMPTFOO, "the commit itself has this file")
def place_submodule(scene: Scene) -> None:
    """The folder of the results is a repository of its own, which the commit refers to."""
    inner = scene.folder / "evals"
    git(inner, "init", "--quiet", "--initial-branch=main")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message=results")
    git(scene.folder, "add", "evals")
    git(scene.folder, "commit", "--quiet", "--message=submodule")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    scene.replace(head, scene.head)


@doctored(PROMPTFOO, "the commit itself has this file")
def place_committed_under_an_odd_name(scene: Scene) -> None:
    """The commit has a file of results in whose name git quotes letters and marks."""
    named = scene.folder / "evals" / 'rün "1" [x] \\ :(top)\n.json'
    scene.file.rename(named)
    git(scene.folder, "add", "--force", "evals")
    git(scene.folder, "commit", "--quiet", "--message=evidence")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    named.write_text(named.read_text(encoding="utf-8").replace(head, scene.head), encoding="utf-8")


@doctored(PROMPTFOO, "the commit itself has this file")
def place_committed_and_forgotten(scene: Scene) -> None:
    """The commit has the file, and the index of the checkout has lost it."""
    git(scene.folder, "add", "--force", "evals")
    git(scene.folder, "commit", "--quiet", "--message=evidence")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    git(scene.folder, "rm", "--cached", "--quiet", "evals/run.json")
    scene.replace(head, scene.head)


@doctored(PROMPTFOO, "the commit itself has this file")
def place_committed_in_a_folder_of_the_repository(scene: Scene) -> None:
    """The service is in a folder of its own, where the check runs, and the commit has the file."""
    service = scene.folder / "services" / "chat"
    scene.folder.rename(scene.folder.with_name("moved"))
    service.parent.mkdir(parents=True)
    scene.folder.with_name("moved").rename(service)
    (service / ".git").rename(scene.folder / ".git")
    git(scene.folder, "add", "--all", "--force")
    git(scene.folder, "commit", "--quiet", "--message=move")
    head, scene.head = scene.head, git(scene.folder, "rev-parse", "HEAD")
    scene.folder = service
    scene.replace(head, scene.head)


@doctored(PROMPTFOO, "the commit that would ship is unknown")
def place_without_a_repository(scene: Scene) -> None:
    """The check runs where there is no repository, so that nobody knows what would ship."""
    shutil.rmtree(scene.folder / ".git")


@doctored(PROMPTFOO, "the commit that would ship is unknown")
def place_repository_without_a_commit(scene: Scene) -> None:
    """The repository is a fresh one, which has no commit."""
    shutil.rmtree(scene.folder / ".git")
    git(scene.folder, "init", "--quiet")


@doctored(PROMPTFOO, "it cannot be read")
def place_link_to_nothing(scene: Scene) -> None:
    """The results are a link to a file that is not there."""
    scene.file.unlink()
    scene.file.symlink_to("nowhere.json")


@doctored(PROMPTFOO, "it cannot be read")
def place_link_to_itself(scene: Scene) -> None:
    """The results are a link to themselves."""
    scene.file.unlink()
    scene.file.symlink_to(scene.file.name)


@doctored(PROMPTFOO, "no file matches")
def place_folder(scene: Scene) -> None:
    """The results are a folder of that name."""
    scene.file.unlink()
    scene.file.mkdir()


@doctored(PROMPTFOO, "not a regular file")
def place_pipe(scene: Scene) -> None:
    """The results are a named pipe that nobody writes to."""
    scene.file.unlink()
    os.mkfifo(scene.file)


@doctored(PROMPTFOO, "not a regular file")
def place_endless(scene: Scene) -> None:
    """The results are a link to a device that never ends."""
    scene.file.unlink()
    scene.file.symlink_to("/dev/zero")


@doctored(PROMPTFOO, "more than 64 MiB")
def place_huge(scene: Scene) -> None:
    """The results are a file of eight gigabytes."""
    with scene.file.open("r+b") as stream:
        stream.truncate(8 * 1024**3)


@doctored(PROMPTFOO, "no file matches")
def place_nothing(scene: Scene) -> None:
    """There are no results."""
    scene.file.unlink()


@doctored(PROMPTFOO, "no file matches")
def place_other_folder(scene: Scene) -> None:
    """The tool wrote its file where the policy does not look."""
    scene.file.rename(scene.folder / "run.json")


@doctored(PROMPTFOO, "not text in UTF-8")
def place_compressed(scene: Scene) -> None:
    """The file was compressed on its way."""
    scene.write(gzip.compress(scene.file.read_bytes()))


@doctored(PROMPTFOO, "more rows than are declared")
def several_that_do_not_agree(scene: Scene) -> None:
    """One run failed and another one passed, both of them about this commit."""
    scene.take("promptfoo/fail.json", "evals/first.json")


@doctored(PROMPTFOO, "more rows than are declared")
def several_that_agree(scene: Scene) -> None:
    """The same cases are in two files, which nobody declared as repeats."""
    scene.take("promptfoo/pass.json", "evals/second.json")


@doctored(PROMPTFOO, "not complete JSON")
def several_of_which_one_is_broken(scene: Scene) -> None:
    """The second shard was cut off, and may be the one that failed."""
    scene.write(scene.honest("promptfoo/fail.json")[:5000], "evals/second.json")


@doctored(PROMPTFOO, "not the result file of a tool")
def several_of_which_one_is_unknown(scene: Scene) -> None:
    """A file beside the results is in a format that nobody knows."""
    scene.write('{"verdict": "bad"}', "evals/second.json")


@doctored(PROMPTFOO, "does not say which commit it is about")
def several_of_which_one_has_no_commit(scene: Scene) -> None:
    """A second file failed, and somebody has removed its commit."""
    failed = scene.honest("promptfoo/fail.json")
    scene.write(failed.replace(scene.head.encode(), b""), "evals/second.json")


@doctored(PROMPTFOO, "346 of 400 cases passed", ends=BLOCKED)
def several_of_which_one_fails(scene: Scene) -> None:
    """Two shards are about different cases, and the second one failed."""
    failed = scene.honest("promptfoo/fail.json")
    scene.write(failed.replace(b'"q-', b'"r-'), "evals/second.json")


@doctored(PROMPTFOO, "is too old")
def several_of_which_one_is_old(scene: Scene) -> None:
    """Two shards are about different cases, and the second one is of last week."""
    passed = scene.honest("promptfoo/pass.json").replace(b'"q-', b'"r-')
    scene.write(passed.replace(b"2026-11-28T", b"2026-11-20T"), "evals/second.json")


@doctored(PROMPTFOO_PINNED, "its totals are 196, 4, 0, and its rows")
def shard_missing(scene: Scene) -> None:
    """The second of two shards was not run."""
    with scene.json() as document:
        kept = document["results"]["results"][:150]
        document["results"]["results"] = kept
        good = sum(row["success"] for row in kept)
        document["results"]["stats"].update(successes=good, failures=150 - good)


@doctored(PROMPTFOO, "not the result file of a tool")
def claimed_instead_of_shown(scene: Scene) -> None:
    """The author says that the evaluation was good, and there are no results."""
    scene.file.unlink()
    scene.write("# The evaluation was good.\n", "evals/README.md")


@doctored(PROMPTFOO, "its attestation does not count")
def failures_called_an_attestation(scene: Scene) -> None:
    """The results that failed have the name of an attestation, which is not read as results."""
    scene.take("promptfoo/fail.json", "evals/run.json.attestation.json")


@doctored(JUNIT, "not the result file of a tool", attest=False)
def attestation_alone(scene: Scene) -> None:
    """The attestation was brought along, and the results were not."""
    scene.sign()
    scene.file.unlink()


@doctored(PROMPTFOO, "files match")
def several_thousand(scene: Scene) -> None:
    """The folder has more files than anybody reads."""
    for number in range(1_001):
        (scene.folder / "evals" / f"{number}.json").touch()
