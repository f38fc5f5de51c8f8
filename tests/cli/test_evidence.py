"""Requirements through the command: evidence of a real run, in a real checkout."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.decision.seal import sealed
from tests.command import Result, Run
from tests.hosts.repository import commit, git

POLICY = """\
version: 1
service: chat
backend: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 30d}
tiers:
  - name: healthy
    remaining: "> 50%"
    allow: all
    require: {model-update: [REQUIRED]}
  - {name: exhausted, otherwise: true, allow: [security-patch, rollback]}
"""
PLAIN = "{evaluation: faithfulness, from: evals/*.json, at_least: 95%, cases: 20, max_age: 24h}"
DATA = Path(__file__).parent.parent / "data" / "evaluations"
KEY = "0123456789abcdef0123456789abcdef"
NOW = datetime.now(UTC)


def promptfoo(
    passed: int, failed: int = 0, *, commit_: str | None = None, ran_at: datetime = NOW
) -> dict[str, Any]:
    """Results as promptfoo 0.121 writes them, as far as they are read."""
    results = [
        {
            "testIdx": place,
            "success": place < passed,
            "score": float(place < passed),
            "failureReason": int(place >= passed),
            "namedScores": {"faithfulness": float(place < passed)},
            "testCase": {"description": f"q-{place:03}", "assert": [{"type": "contains"}]},
            "gradingResult": {
                "pass": place < passed,
                "score": float(place < passed),
                "componentResults": [
                    {
                        "pass": place < passed,
                        "score": float(place < passed),
                        "assertion": {"type": "contains", "metric": "faithfulness"},
                    }
                ],
            },
        }
        for place in range(passed + failed)
    ]
    stamp = ran_at.isoformat().replace("+00:00", "Z")
    return {
        "evalId": "eval-1",
        "results": {
            "version": 3,
            "timestamp": stamp,
            "stats": {"successes": passed, "failures": failed, "errors": 0},
            "results": results,
        },
        "config": {"tags": {} if commit_ is None else {"git.sha": commit_}},
        "metadata": {"evaluationCreatedAt": stamp},
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    counts = "counts: {availability: {total: 1000000, bad: 82}}\n"
    text = POLICY.replace("REQUIRED", PLAIN)
    commit(folder, "first", {"gate.yaml": text, "counts.yaml": counts, ".gitignore": "evals/\n"})
    (folder / "evals").mkdir()
    return folder


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").strip()


Check = Callable[..., Result]


@pytest.fixture
def check(gate: Run, checkout: Path) -> Check:
    def run(*more: str, **env: str | None) -> Result:
        words = ("check", "--change", "model-update", "--policy-ref", "none", *more)
        return gate(*words, cwd=checkout, env={"CI": None, "GITHUB_ACTIONS": None, **env})

    return run


def write(folder: Path, results: Mapping[str, Any], name: str = "evals/x.json") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(results))
    return path


def requirement(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)["policies"][0]["requirements"][0]
    return found


def test_evidence_of_this_commit_lets_it_ship(check: Check, checkout: Path) -> None:
    write(checkout, promptfoo(19, 1, commit_=head(checkout)))
    done = check("-f", "json")
    assert done.exit_code == 0
    found = requirement(done)
    facts = found.pop("facts")
    assert found == {
        "name": "faithfulness",
        "kind": "evaluation",
        "state": "met",
        "verdict": "allow",
        "reason": "19 of 20 cases passed (95.0%, 95% interval 76.4% to 99.1%), at least 95%",
    }
    assert (facts["cases"], facts["passed"], facts["failed"], facts["at_least"]) == (
        20,
        19,
        1,
        0.95,
    )
    assert (facts["file"], facts["tool"], facts["commit"]) == (
        "evals/x.json",
        "promptfoo",
        head(checkout),
    )


def test_evidence_against_it_blocks_it(check: Check, checkout: Path) -> None:
    write(checkout, promptfoo(18, 2, commit_=head(checkout)))
    done = check()
    assert done.exit_code == 10
    words = " ".join(done.stdout.split())
    assert "Why faithfulness: 18 of 20 cases passed (90.0%" in words
    assert "Needs faithfulness, not met" in words
    assert "Allowed again once the requirements are met" in words
    assert "Next gate evaluation evals/*.json (shows what the gate reads in these files)" in words


def tracked(folder: Path) -> None:
    (folder / ".gitignore").write_text("")
    write(folder, promptfoo(20, commit_=head(folder)))
    git(folder, "add", "-A")


def linked(folder: Path) -> None:
    write(folder, promptfoo(20, commit_=head(folder)), "golden/x.json")
    (folder / "evals" / "x.json").symlink_to("../golden/x.json")


def other_commit(folder: Path) -> None:
    write(folder, promptfoo(20, commit_="f" * 40))


def no_commit(folder: Path) -> None:
    write(folder, promptfoo(20))


def old(folder: Path) -> None:
    write(folder, promptfoo(20, commit_=head(folder), ran_at=NOW - timedelta(hours=25)))


def unreadable(folder: Path) -> None:
    write(folder, promptfoo(20, commit_=head(folder)))
    (folder / "evals" / "y.json").write_text("{")


def dangling(folder: Path) -> None:
    write(folder, promptfoo(20, commit_=head(folder)))
    (folder / "evals" / "y.json").symlink_to("nowhere.json")


def piped(folder: Path) -> None:
    os.mkfifo(folder / "evals" / "y.json")


def looped(folder: Path) -> None:
    """A link to itself, of which the system says nothing but that it cannot be followed."""
    write(folder, promptfoo(20, commit_=head(folder)))
    (folder / "evals" / "y.json").symlink_to("y.json")


def hidden_failure(folder: Path) -> None:
    """Named like an attestation, of a file that is not there."""
    write(folder, promptfoo(20, commit_=head(folder)))
    write(folder, promptfoo(1, 19, commit_=head(folder)), "evals/y.json.attestation.json")


def hidden_deeper(folder: Path) -> None:
    """Hide the failure behind the attestation of a file that exists."""
    write(folder, promptfoo(20, commit_=head(folder)))
    (folder / "evals" / "x.json.attestation.json").write_text("{}")
    ending = ".attestation.json"
    write(folder, promptfoo(1, 19, commit_=head(folder)), f"evals/x.json{ending}{ending}")


@pytest.mark.variants(5)
@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda _: None, "no file matches evals/*.json in"),
        (tracked, "evals/x.json: the commit itself has this file, or a link to it"),
        (linked, "evals/x.json: the commit itself has this file, or a link to it"),
        (other_commit, "evals/x.json (ffffffffffff) is about another commit"),
        (no_commit, "evals/x.json does not say which commit it is about; run gate attest"),
        (old, "evals/x.json is too old: the evaluation ran at"),
        (unreadable, "evals/y.json: it is not complete JSON"),
        (dangling, "evals/y.json: it cannot be read: No such file or directory"),
        (piped, "evals/y.json: it is not a regular file"),
        (looped, "evals/y.json: it cannot be read: Too many levels of symbolic links"),
        (hidden_failure, "cases have more rows than are declared"),
        (hidden_deeper, "evals/x.json: its attestation does not count"),
    ],
)
def test_what_proves_nothing_is_undecided(
    check: Check, checkout: Path, prepare: Callable[[Path], None], reason: str
) -> None:
    prepare(checkout)
    done = check("-f", "json")
    assert done.exit_code == 3
    found = requirement(done)
    assert (found["state"], found["verdict"]) == ("undecided", "undecided")
    assert reason in found["reason"]


def test_too_many_files_are_not_read(
    check: Check, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.check.result_files._MOST", 1)
    for name in "xy":
        write(checkout, promptfoo(20, commit_=head(checkout)), f"evals/{name}.json")
    done = check("-f", "json")
    assert requirement(done)["reason"] == (
        "2 files match evals/*.json, and 1 are read; write a narrower pattern"
    )


def test_a_folder_is_not_a_result_file_and_a_deep_glob_finds_files_below(
    check: Check, checkout: Path
) -> None:
    commit(checkout, "deep", {"gate.yaml": POLICY.replace("REQUIRED", PLAIN.replace("*", "**/*"))})
    (checkout / "evals" / "z.json").mkdir()
    write(checkout, promptfoo(20, commit_=head(checkout)), "evals/a/.b/x.json")
    assert check().exit_code == 0


def test_where_git_does_not_know_the_files_nothing_is_proved(
    check: Check, checkout: Path, tmp_path: Path
) -> None:
    write(checkout, promptfoo(20, commit_=head(checkout)))
    revision = head(checkout)
    (checkout / ".git").rename(tmp_path / "moved")
    done = check("-f", "json", "--ci", "github", GITHUB_ACTIONS="true", GITHUB_SHA=revision)
    assert done.exit_code == 3
    assert "git cannot say whether the change brought it" in requirement(done)["reason"]


def test_results_of_the_trial_merge_are_distinguished_from_those_of_the_head(
    check: Check, checkout: Path, tmp_path: Path
) -> None:
    revision = head(checkout)
    commit(checkout, "trial merge", {"a.md": ""})
    write(checkout, promptfoo(20, commit_=head(checkout)))
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": revision}, "number": 7}}))
    github = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    github |= {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": head(checkout)}
    done = check("-f", "json", **github)
    assert requirement(done)["reason"].endswith(
        f"before the gate ({head(checkout)[:12]} is checked out here instead of the head of the"
        " pull request: check that out for the evaluation)"
    )
    write(checkout, promptfoo(20, commit_="f" * 40))
    assert requirement(check("-f", "json", **github))["reason"].endswith("before the gate")


def test_a_name_that_is_not_utf_8_is_shown_as_far_as_it_can_be(
    check: Check, checkout: Path
) -> None:
    path = write(checkout, promptfoo(20, commit_=head(checkout)))
    path.rename(os.fsdecode(os.fsencode(path.parent) + b"/\xff.json"))
    done = check("-f", "json")
    assert (done.exit_code, requirement(done)["facts"]["file"]) == (0, "evals/?.json")


def test_a_shadow_that_the_backend_cannot_tell_apart_is_undecided(
    check: Check, checkout: Path
) -> None:
    shadow = "{shadow: {by: deployment, candidate: shadow, against: live, margin: 10%, for: 1h}}"
    commit(checkout, "shadow", {"gate.yaml": POLICY.replace("REQUIRED", shadow)})
    done = check("-f", "json")
    assert done.exit_code == 3
    found = requirement(done)
    assert (found["name"], found["kind"], found["state"]) == ("shadow", "shadow", "undecided")


def test_a_checked_requirement_cannot_be_stated_as_met(check: Check) -> None:
    done = check("--met", "faithfulness=https://ci/1")
    assert done.exit_code == 2
    assert done.stderr == (
        "gate: faithfulness is checked by its evidence and cannot be stated as met; leave the"
        " statement out\n"
    )


def test_at_another_time_evidence_of_later_does_not_count(check: Check, checkout: Path) -> None:
    write(checkout, promptfoo(20, commit_=head(checkout)))
    yesterday = (NOW - timedelta(days=1)).isoformat()
    done = check("-f", "json", "--at", yesterday)
    assert "which is later than this check" in requirement(done)["reason"]


COMPARED = PLAIN.replace("}", ", not_worse_than: base}")


def compared(folder: Path, more: str = "}") -> tuple[str, str]:
    """Commit a policy that compares, and a change; return both commits."""
    commit(
        folder, "compare", {"gate.yaml": POLICY.replace("REQUIRED", COMPARED.replace("}", more))}
    )
    base = head(folder)
    commit(folder, "change", {"prompt.md": "Hi."})
    return base, head(folder)


@pytest.mark.parametrize(("failing", "code"), [(0, 0), (1, 3)])
def test_a_change_is_compared_with_its_base(
    check: Check, checkout: Path, failing: int, code: int
) -> None:
    base, now = compared(checkout)
    write(checkout, promptfoo(20 - failing, failing, commit_=now))
    write(checkout, promptfoo(20, commit_=base), "evals/base.json")
    assert check("--base", base).exit_code == code
    assert check("--base", "HEAD~1").exit_code == code


def test_results_of_the_base_may_be_elsewhere(check: Check, checkout: Path) -> None:
    base, now = compared(checkout, ", base_from: before/*.json}")
    write(checkout, promptfoo(20, commit_=now))
    lacking = check("-f", "json", "--base", base)
    assert "no file matches before/*.json" in requirement(lacking)["reason"]
    write(checkout, promptfoo(20, commit_=base), "before/x.json")
    assert check("--base", base).exit_code == 0


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("HEAD", "the base is the commit itself; name the commit before the change"),
        ("nosuch", "the base nosuch is not in this checkout"),
        (None, "it is not known what is live"),
        ("e" * 40, "no result file is about eeeeeeeeeeee"),
    ],
)
def test_without_a_base_it_is_undecided(
    check: Check, checkout: Path, base: str | None, reason: str
) -> None:
    _, now = compared(checkout)
    write(checkout, promptfoo(20, commit_=now))
    done = check("-f", "json", *(() if base is None else ("--base", base)))
    assert done.exit_code == 3
    assert reason in requirement(done)["reason"]


def test_where_the_base_has_moved_on_results_of_the_fork_point_count(
    check: Check, checkout: Path
) -> None:
    base, now = compared(checkout)
    git(checkout, "checkout", "-q", "-b", "topic")
    git(checkout, "checkout", "-q", "-B", "main", base)
    commit(checkout, "main moves on", {"other.md": "Hi."})
    moved = head(checkout)
    git(checkout, "checkout", "-q", "topic")
    write(checkout, promptfoo(20, commit_=now))
    write(checkout, promptfoo(20, commit_=base), "evals/base.json")
    assert check("--base", moved).exit_code == 0


def test_an_attestation_binds_a_file_that_says_nothing(
    check: Check, checkout: Path, gate: Run
) -> None:
    write(checkout, promptfoo(20))
    signing = {"GATE_SIGNING_KEY": KEY}
    done = gate("attest", "evals/x.json", cwd=checkout, env=signing)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"evals/x.json: commit {head(checkout)[:12]}, ran at 20")
    assert check(**signing).exit_code == 0
    unverified = requirement(check("-f", "json"))
    assert (
        "its attestation does not count: it is signed, and no key is set here"
        in (unverified["reason"])
    )
    assert unverified["reason"].endswith("this job the key, as GATE_SIGNING_KEY or GATE_VERIFY_KEY")
    foreign = check("-f", "json", GATE_SIGNING_KEY="another secret of 16")
    assert "its signature does not match" in requirement(foreign)["reason"]
    write(checkout, promptfoo(20, 0, ran_at=NOW + timedelta(seconds=1)))
    altered = check("-f", "json", **signing)
    assert (
        "it is about another file, or the file was altered since" in requirement(altered)["reason"]
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "it is not a JSON document"),
        ("[]", "it is not an envelope of an in-toto statement"),
        ("{}", "it is not an envelope of an in-toto statement"),
        ("x" * 100_001, "it has more than 0 MiB"),
    ],
)
def test_a_broken_attestation_does_not_count(
    check: Check, checkout: Path, content: str, reason: str
) -> None:
    write(checkout, promptfoo(20, commit_=head(checkout)))
    (checkout / "evals" / "x.json.attestation.json").write_text(content)
    done = check("-f", "json", GATE_SIGNING_KEY=KEY)
    assert done.exit_code == 3
    assert f"its attestation does not count: {reason}" in requirement(done)["reason"]


def test_an_attestation_of_another_commit_than_the_file_says_is_a_contradiction(
    check: Check, checkout: Path, gate: Run
) -> None:
    path = write(checkout, promptfoo(20))
    signing = {"GATE_SIGNING_KEY": KEY}
    first = head(checkout)
    wrong = write(checkout, promptfoo(20, commit_=first), "evals/own.json")
    commit(checkout, "second", {"a.md": ""})
    refused = gate("attest", "evals/own.json", cwd=checkout, env=signing)
    assert refused.exit_code == 2
    assert f"it names {first}" in refused.stderr
    # Two files of the same name, one of which says nothing of its commit.
    assert gate("attest", str(path), cwd=checkout, env=signing).exit_code == 0
    wrong.unlink()
    assert check(**signing).exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("evals/none.json",), "evals/none.json is not attested: it cannot be read"),
        (("gate.yaml",), "gate.yaml is not attested: it is not"),
        (
            ("evals/x.json", "--commit", "nosuch"),
            "the commit 'nosuch' is not in this checkout; name",
        ),
    ],
)
def test_what_cannot_be_attested_is_refused(
    gate: Run, checkout: Path, words: tuple[str, ...], message: str
) -> None:
    write(checkout, promptfoo(20))
    done = gate("attest", *words, cwd=checkout, env={"GATE_SIGNING_KEY": KEY})
    assert done.exit_code == 2
    assert message in done.stderr
    assert not list((checkout / "evals").glob("*.attestation.json"))


def alter(folder: Path) -> None:
    (folder / "counts.yaml").write_text("counts: {}")


def delete(folder: Path) -> None:
    (folder / "counts.yaml").unlink()


def redirect(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("counts.yaml")


def replace_a_link(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").write_text("gate.yaml")


def add(folder: Path) -> None:
    (folder / "new.txt").write_text("of no commit")


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("act", "name"),
    [
        *((alter, "counts.yaml"), (delete, "counts.yaml"), (redirect, "link")),
        *((replace_a_link, "link"), (add, None)),
    ],
)
def test_a_checkout_that_differs_from_the_commit_is_attested_only_for_a_named_commit(
    checkout: Path, gate: Run, act: Callable[[Path], None], name: str | None
) -> None:
    (checkout / "link").symlink_to("gate.yaml")
    commit(checkout, "a link", {})
    git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{head(checkout)},module")
    git(checkout, "commit", "-q", "-m", "a submodule")
    write(checkout, promptfoo(20))
    act(checkout)
    words = ("attest", "evals/x.json")

    done = gate(*words, cwd=checkout, env={"GATE_SIGNING_KEY": KEY})
    by_name = gate(*words, "--commit", "HEAD", cwd=checkout, env={"GATE_SIGNING_KEY": KEY})

    assert done.exit_code == (0 if name is None else 2)
    assert name is None or f"{name} differs from the commit" in done.stderr
    assert by_name.exit_code == 0


def test_a_ci_system_says_which_commit_it_is_where_there_is_no_checkout(
    tmp_path: Path, gate: Run
) -> None:
    (tmp_path / "evals").mkdir()
    write(tmp_path, promptfoo(20))
    env = {"GATE_SIGNING_KEY": KEY, "GITHUB_ACTIONS": "true", "GITHUB_SHA": "a" * 40}
    done = gate("attest", "evals/x.json", cwd=tmp_path, env=env)
    assert (done.exit_code, "commit aaaaaaaaaaaa" in done.stdout) == (0, True)


def test_files_can_be_attested_again_with_their_attestations_beside_them(
    checkout: Path, gate: Run
) -> None:
    signing = {"GATE_SIGNING_KEY": KEY}
    write(checkout, promptfoo(1, 19, commit_=None))
    beside = "evals/x.json.attestation.json"

    first = gate("attest", "evals/x.json", cwd=checkout, env=signing)
    again = gate("attest", "evals/x.json", beside, cwd=checkout, env=signing)
    alone = gate("attest", beside, cwd=checkout, env=signing)

    assert (first.exit_code, again.exit_code, alone.exit_code) == (0, 0, 2)
    assert again.stdout.count("\n") == 1
    assert "name the result files that they are about" in alone.stderr


def test_an_attestation_needs_a_key_a_commit_and_a_place(
    gate: Run, checkout: Path, tmp_path: Path
) -> None:
    path = write(checkout, promptfoo(20))
    keyless = gate("attest", str(path), cwd=checkout, env={"GATE_SIGNING_KEY": None})
    assert (
        keyless.exit_code,
        "an attestation is signed: set GATE_SIGNING_KEY" in keyless.stderr,
    ) == (
        2,
        True,
    )
    elsewhere = {"GATE_SIGNING_KEY": KEY, "CI": None, "GITHUB_ACTIONS": None}
    unknown = gate("attest", str(path), cwd=tmp_path, env=elsewhere)
    assert (unknown.exit_code, "name it with --commit" in unknown.stderr) == (2, True)
    full = gate("attest", str(path), "--commit", "d" * 40, cwd=tmp_path, env=elsewhere)
    assert (full.exit_code, "commit dddddddddddd" in full.stdout) == (0, True)
    beside = path.with_name("x.json.attestation.json")
    beside.unlink()
    beside.mkdir()
    blocked = gate("attest", str(path), cwd=checkout, env=elsewhere)
    assert (blocked.exit_code, "could not be written" in blocked.stderr) == (2, True)


def test_the_time_of_an_attestation_can_be_stated(check: Check, checkout: Path, gate: Run) -> None:
    write(checkout, promptfoo(20))
    signing = {"GATE_SIGNING_KEY": KEY}
    long_ago = (NOW - timedelta(days=2)).isoformat()
    assert (
        gate("attest", "evals/x.json", "--at", long_ago, cwd=checkout, env=signing).exit_code == 0
    )
    reason = requirement(check("-f", "json", **signing))["reason"]
    assert "its attestation that it ran before" in reason


def _unmet(policy: dict[str, Any]) -> None:
    policy["requirements"][0] |= {"state": "not-met", "verdict": "block"}


def _worded(policy: dict[str, Any]) -> None:
    policy["requirements"][0]["reason"] = "200 of 200 cases passed"


def _stated(policy: dict[str, Any]) -> None:
    policy["requirements"][0]["state"] = "undecided"


def _dropped(policy: dict[str, Any]) -> None:
    policy["requirements"] = []


@pytest.mark.parametrize("forge", [None, _unmet, _worded, _stated, _dropped])
def test_a_decision_that_contradicts_its_requirements_is_refused(
    check: Check,
    checkout: Path,
    gate: Run,
    forge: Callable[[dict[str, Any]], None] | None,
) -> None:
    write(checkout, promptfoo(20, commit_=head(checkout)))
    document = json.loads(check("-f", "json").stdout)
    if forge is not None:
        forge(document["policies"][0])
    del document["seal"]
    (checkout / "evals" / "d.json").write_text(json.dumps(sealed(document, None)))
    done = gate("verify", "evals/d.json", "--ci", "none", cwd=checkout)
    if forge is None:
        assert (done.exit_code, done.stdout[:5]) == (0, "HOLDS")
    else:
        assert done.exit_code == 3
        assert "the requirements of 'chat' contradict its findings" in done.stdout


def test_what_the_gate_reads_in_result_files_is_shown(gate: Run, checkout: Path) -> None:
    write(checkout, promptfoo(19, 1, commit_=head(checkout)))
    write(checkout, promptfoo(3), "evals/y.json")
    (checkout / "evals" / "z.json").write_text("{")
    (checkout / "evals" / "empty.xml").write_text("<testsuites/>")
    good = gate("evaluation", "evals/x.json", "evals/y.json", cwd=checkout)
    words = " ".join(good.stdout.split())
    assert good.exit_code == 0
    assert f"READ evals/x.json Tool promptfoo Commit {head(checkout)} Ran" in words
    assert (
        "Metrics faithfulness Cases 19 of 20 passed (95.0%, 95% interval 76.4% to 99.1%)" in words
    )
    assert "Others 1 failed case_digest" in words
    assert "Commit the file does not say; run gate attest on it" in words
    signing = {"GATE_SIGNING_KEY": KEY}
    assert gate("attest", "evals/y.json", cwd=checkout, env=signing).exit_code == 0
    names = sorted(path.name for path in (checkout / "evals").iterdir())
    assert names == ["empty.xml", "x.json", "y.json", "y.json.attestation.json", "z.json"]
    done = gate(
        *("evaluation", *(f"evals/{name}" for name in names), "-f", "json", "--repeats", "2"),
        cwd=checkout,
        env=signing,
    )
    assert done.exit_code == 3
    empty, first, second, broken = json.loads(done.stdout)["files"]
    assert (empty["usable"], empty["cases"], "it has no test cases" in empty["flaws"]) == (
        False,
        0,
        True,
    )
    assert (first["usable"], first["cases"], first["passed"], first["outcomes"]) == (
        True,
        20,
        0,
        {"missing": 19, "failed": 1},
    )
    assert (second["commit"], second["tool"]) == (head(checkout), "promptfoo")
    assert (broken["tool"], broken["metrics"], broken["repeats"]) == (None, [], None)
    assert broken["flaws"] == ["it is not complete JSON; remove it, or run the evaluation again"]
    shown = gate("evaluation", "evals/z.json", cwd=checkout)
    assert "NOT USABLE evals/z.json Flaw it is not complete JSON" in " ".join(shown.stdout.split())
    totals = gate(
        "evaluation",
        str(next((DATA / "lmeval" / "pass").glob("results_*.json"))),
        str(DATA / "promptfoo" / "repeat.json"),
    )
    words = " ".join(totals.stdout.split())
    assert "(sums)" in words
    assert "Repeats 2 rows a case, as the file declares" in words
    zoneless = gate("evaluation", str(DATA / "evidently" / "pass.snapshot.json"))
    assert "from 2026-11-28 09:00 UTC on: its time has no zone" in " ".join(zoneless.stdout.split())
    none = gate("evaluation", str(DATA / "junit" / "zerok.xml"))
    assert (none.exit_code, "Flaw it has no test cases Tool" in " ".join(none.stdout.split())) == (
        3,
        True,
    )
