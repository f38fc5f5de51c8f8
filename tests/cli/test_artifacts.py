"""Results in the CI artifact of the very commit, through the command and a code host."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_evidence import DATA, KEY, NOW, POLICY, head, promptfoo, requirement
from tests.command import Result, Run
from tests.hosts.repository import commit, git
from tests.servers import gitlab as lab
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub, KeptArtifact
from tests.servers.loopback import serving

ARTIFACT = "{artifact: evaluation-results, files: '*.json'}"
REQUIRED = "evaluation: faithfulness, from: ARTIFACT, at_least: 95%, cases: 20, max_age: 24h"
LATER = (NOW + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def zipped(members: Mapping[str, Any]) -> bytes:
    """Return an archive of documents, or of bytes as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            raw = content if isinstance(content, bytes) else json.dumps(content)
            archive.writestr(name, raw)
    return file.getvalue()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    counts = "counts: {availability: {total: 1000000, bad: 82}}\n"
    commit(folder, "first", {"counts.yaml": counts})
    return require(folder, f"{{{REQUIRED}}}".replace("ARTIFACT", ARTIFACT))


def require(folder: Path, entry: str) -> Path:
    commit(folder, "policy", {"gate.yaml": POLICY.replace("REQUIRED", entry)})
    return folder


@pytest.fixture
def storage(fake: FakeGitHub) -> Iterator[list[str]]:
    """The host of the archives, which notes what came with a login."""
    logins = list[str]()

    def serve(handler: BaseHTTPRequestHandler, _: bytes) -> tuple[int, dict[str, str], bytes]:
        logins.extend(name for name in ("Authorization", "Cookie") if name in handler.headers)
        number = int(handler.path.removeprefix("/").partition("?")[0])
        return 200, {}, fake.artifacts[number].archive

    with serving(serve) as address:
        fake.storage = address
        yield logins
    assert logins == []


Check = Callable[..., Result]


@pytest.fixture
def check(gate: Run, checkout: Path, fake: FakeGitHub, storage: list[str]) -> Check:
    assert storage == []

    def run(*more: str, **env: str | None) -> Result:
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_EVENT_PATH": None,
            "GITHUB_SHA": env["GITHUB_SHA"] if "GITHUB_SHA" in env else head(checkout),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        words = ("check", "--change", "model-update", "--policy-ref", "none", "--ci", "github")
        return gate(*words, "-f", "json", *more, cwd=checkout, env=runner | env)

    return run


def upload(fake: FakeGitHub, sha: str | None, members: Mapping[str, Any], **more: Any) -> None:
    more = {"created": LATER} | more
    fake.artifacts.append(KeptArtifact(archive=zipped(members), sha=sha, **more))


def test_the_artifact_of_this_commit_lets_it_ship(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    upload(fake, head(checkout), {"x.json": promptfoo(20), "log.txt": b"no result"})
    upload(fake, "f" * 40, {"x.json": promptfoo(0, 20)})
    upload(fake, None, {"x.json": promptfoo(0, 20)})
    upload(fake, head(checkout), {"x.json": promptfoo(0, 20)}, name="another")
    upload(fake, head(checkout), {"x.json": promptfoo(0, 20)}, expired=True)
    done = check()
    assert done.exit_code == 0
    facts = requirement(done)["facts"]
    assert (facts["file"], facts["commit"]) == ("evaluation-results#0/x.json", head(checkout))
    assert facts["ran_at"] == NOW.isoformat().replace("+00:00", "Z")


def test_bad_results_block_and_no_command_for_files_here_is_named(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    upload(fake, head(checkout), {"x.json": promptfoo(18, 2, commit_=head(checkout))})
    done = check("-f", "terminal")
    assert done.exit_code == 10
    assert "faithfulness: 18 of 20 cases passed" in " ".join(done.stdout.split())
    assert "gate evaluation" not in done.stdout


def test_the_files_of_one_artifact_are_counted_together_and_its_time_is_theirs(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    tests = "".join(f'<testcase classname="c" name="n{place}"/>' for place in range(20))
    require(checkout, f"{{{REQUIRED}, metric: all}}".replace("ARTIFACT", ARTIFACT))
    xml = f"<testsuites><testsuite name='s' tests='20'>{tests}</testsuite></testsuites>"
    upload(fake, head(checkout), {"x.json": xml.encode()})
    facts = requirement(check())["facts"]
    assert facts["ran_at"] == LATER
    old = (NOW - timedelta(hours=25)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fake.artifacts[0].created = old
    done = check()
    assert done.exit_code == 3
    assert "#0/x.json is too old" in requirement(done)["reason"]


def test_a_rerun_that_has_the_same_cases_is_undecided(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    upload(fake, head(checkout), {"x.json": promptfoo(10, 10)})
    upload(fake, head(checkout), {"x.json": promptfoo(20)})
    done = check()
    assert done.exit_code == 3
    assert "more rows than are declared" in requirement(done)["reason"]


def test_all_pages_of_artifacts_are_read(check: Check, checkout: Path, fake: FakeGitHub) -> None:
    upload(fake, head(checkout), {"x.json": promptfoo(20)})
    for _ in range(100):
        upload(fake, "f" * 40, {})
    assert check().exit_code == 0
    assert fake.seen.count("actions/list-artifacts-for-repo") == 2


NONE = "there is no CI artifact evaluation-results of"


@pytest.mark.variants(6)
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "it has no files; write the paths as they are in the artifact"),
        (
            dict.fromkeys(("a", "b", "c", "d"), b""),
            "no file in the artifact evaluation-results#0 matches *.json; it has a, b, c, ...;",
        ),
        ({"x.json": promptfoo(20), "y.json": b"{"}, "#0/y.json: it is not complete JSON"),
        ({"x.json": zipped({"x.json": b"{}"})}, "#0/x.json: it is a zip file, and not a log of"),
        (
            {"x.json": promptfoo(20, commit_="f" * 40)},
            f"#0/x.json: it says that it is about {'f' * 40}, and the CI run that uploaded it was",
        ),
        (
            {"x.json": promptfoo(20, ran_at=NOW + timedelta(minutes=7))},
            "which is later than the artifact",
        ),
        ({"x.json": promptfoo(20), "../x.json": b""}, "a member with the odd name '../x.json'"),
        (
            {"x.json": promptfoo(20), "x.json.attestation.json": {}},
            "evaluation-results#0/x.json: its attestation does not count",
        ),
        (
            {"x.json": promptfoo(20), "x.json.attestation.json": b"[]"},
            "it is not an envelope of an in-toto statement",
        ),
        (
            {"x.json": promptfoo(20), "y.json.attestation.json": promptfoo(1, 19)},
            "more rows than are declared",
        ),
    ],
)
def test_an_artifact_that_proves_nothing_is_undecided(
    check: Check, checkout: Path, fake: FakeGitHub, members: Mapping[str, Any], reason: str
) -> None:
    upload(fake, head(checkout), members)
    done = check()
    assert done.exit_code == 3
    assert reason in requirement(done)["reason"]


def test_a_run_with_other_changes_in_its_checkout_is_not_about_the_commit(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    log = json.loads((DATA / "inspect" / "small.json").read_text())
    log["eval"]["revision"] = {"type": "git", "commit": head(checkout)[:7], "dirty": True}
    upload(fake, head(checkout), {"x.json": log})
    done = check()
    assert done.exit_code == 3
    assert "#0/x.json: it is not bound to a commit" in requirement(done)["reason"]


def test_an_attestation_of_the_same_commit_counts(
    check: Check, checkout: Path, fake: FakeGitHub, gate: Run, tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(promptfoo(20)))
    key = {"GATE_SIGNING_KEY": KEY, "CI": None}
    members = {}
    for revision in (head(checkout), "f" * 40):
        assert gate("attest", str(path), "--commit", revision, env=key).exit_code == 0
        beside = path.with_name("x.json.attestation.json")
        members[revision] = {"x.json": path.read_bytes(), beside.name: beside.read_bytes()}
        beside.unlink()
    upload(fake, head(checkout), members[head(checkout)])
    assert check(**key).exit_code == 0
    fake.artifacts.clear()
    upload(fake, head(checkout), members["f" * 40])
    assert "it says that it is about" in requirement(check(**key))["reason"]


def test_a_truncated_archive_is_undecided(check: Check, checkout: Path, fake: FakeGitHub) -> None:
    archive = zipped({"x.json": promptfoo(20)})[:-40]
    fake.artifacts.append(KeptArtifact(archive=archive, sha=head(checkout), created=LATER))
    done = check()
    assert done.exit_code == 3
    assert requirement(done)["reason"] == (
        "evaluation-results#0: it is a zip file that is damaged or encrypted; upload the artifact"
        " again"
    )


def test_without_an_artifact_it_is_undecided(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    done = check()
    assert done.exit_code == 3
    assert requirement(done)["reason"] == (
        f"{NONE} {head(checkout)[:12]}; upload it in a job before this one (on GitLab its name is"
        " that of the job)"
    )
    upload(fake, head(checkout), {}, expired=True)
    assert "has expired; run its job again" in requirement(check())["reason"]


def test_a_token_that_may_not_read_artifacts_is_reported(check: Check, fake: FakeGitHub) -> None:
    fake.forbidden = {"actions/list-artifacts-for-repo"}
    done = check()
    assert done.exit_code == 3
    assert requirement(done)["reason"].endswith("; the token needs actions: read")


@pytest.mark.parametrize(
    ("env", "words", "reason"),
    [
        ({"GITHUB_TOKEN": None}, (), "set GITHUB_TOKEN, with the permission actions: read"),
        ({"GITLAB_CI": "true", "GITHUB_ACTIONS": None}, ("--ci", "gitlab"), "set GITLAB_TOKEN"),
        ({"GITHUB_ACTIONS": None}, ("--ci", "none"), "let a step bring the files here"),
    ],
)
def test_where_no_host_can_be_asked_it_is_undecided(
    check: Check,
    checkout: Path,
    env: Mapping[str, str | None],
    words: tuple[str, ...],
    reason: str,
) -> None:
    gitlab = {"CI_COMMIT_SHA": head(checkout)} if "gitlab" in words else {}
    done = check(*words, **{"GITLAB_CI": None, **env, **gitlab})
    assert done.exit_code == 3
    assert reason in requirement(done)["reason"]


def test_where_the_commit_is_not_known_nothing_is_asked(
    check: Check, checkout: Path, fake: FakeGitHub, tmp_path: Path
) -> None:
    (checkout / ".git").rename(tmp_path / "moved")
    event = tmp_path / "event.json"
    event.write_text("{}")
    done = check(GITHUB_SHA="", GITHUB_EVENT_PATH=str(event))
    assert done.exit_code == 3
    assert "the commit that would ship is unknown" in requirement(done)["reason"]
    assert fake.seen == []


COMPARED = f"{{{REQUIRED}, not_worse_than: base}}".replace("ARTIFACT", ARTIFACT)


def test_the_artifact_of_the_base_is_compared(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    base = head(checkout)
    require(checkout, COMPARED)
    upload(fake, head(checkout), {"x.json": promptfoo(20)})
    reason = requirement(check("--base", base))["reason"]
    assert "the artifact evaluation-results of the base: there is none; let the run on" in reason
    upload(fake, base, {"x.json": promptfoo(19, 1)})
    done = check("--base", base)
    assert done.exit_code == 0
    assert f"(base {base[:12]})" in requirement(done)["reason"]
    fake.artifacts[1].expired = True
    done = check("--base", base)
    assert done.exit_code == 3
    assert "of the base: the CI artifact evaluation-results of" in requirement(done)["reason"]


def test_the_base_may_be_in_another_artifact_or_in_files(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    base = head(checkout)
    nightly = ", base_from: {artifact: nightly, files: '**/*.json'}}"
    require(checkout, COMPARED.removesuffix("}") + nightly)
    upload(fake, head(checkout), {"x.json": promptfoo(20)})
    upload(fake, base, {"evals/x.json": promptfoo(20)}, name="nightly")
    assert check("--base", base).exit_code == 0
    require(checkout, COMPARED.removesuffix("}") + ", base_from: base/*.json}")
    fake.artifacts[0].sha = head(checkout)
    (checkout / "base").mkdir()
    (checkout / "base" / "x.json").write_text(json.dumps(promptfoo(20, commit_=base)))
    assert check("--base", base).exit_code == 0


def test_gitlab_has_the_artifacts_of_a_job(gate: Run, checkout: Path) -> None:
    require(checkout, f"{{{REQUIRED}}}".replace("ARTIFACT", "{artifact: evaluate, files: '**'}"))
    sha = head(checkout)
    runner = {
        "GITLAB_CI": "true",
        "GITHUB_ACTIONS": None,
        "CI_COMMIT_SHA": sha,
        "CI_PROJECT_ID": str(lab.PROJECT),
        "GITLAB_TOKEN": lab.TOKEN,
    }
    words = ("check", "--change", "model-update", "--policy-ref", "none", "-f", "json")
    with lab.gitlab() as project:
        runner["CI_API_V4_URL"] = project.url
        project.pipelines = {1: sha, 2: "f" * 40}
        done = {"finished_at": LATER}
        project.run_job(10, 1, None)
        project.run_job(11, 1, zipped({"evals/x.json": promptfoo(20)}), **done)
        project.run_job(12, 2, zipped({"evals/x.json": promptfoo(0, 20)}), **done)
        project.run_job(13, 1, zipped({"evals/x.json": promptfoo(0, 20)}), name="lint", **done)
        met = gate(*words, "--ci", "gitlab", cwd=checkout, env=runner)
        project.run_job(14, 1, zipped({"e/x.json": promptfoo(0, 20)}), retried=True, **done)
        rerun = gate(*words, "--ci", "gitlab", cwd=checkout, env=runner)
    assert met.exit_code == 0
    assert requirement(met)["facts"]["file"] == "evaluate#11/evals/x.json"
    assert rerun.exit_code == 3
    assert "more rows than are declared" in requirement(rerun)["reason"]


def test_only_a_policy_that_needs_artifacts_asks_for_them(
    check: Check, checkout: Path, fake: FakeGitHub
) -> None:
    require(checkout, f"{{{REQUIRED}}}".replace("ARTIFACT", "evals/*.json"))
    assert check().exit_code == 3
    assert fake.seen == []
