"""Change classes, pinned policies, overrides, records, waiting."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import AT, POLICY, command
from tests.command import Result, Run, environment
from tests.command import gate as run_gate
from tests.hosts.repository import begin, commit, git

CHANGES = """\
changes:
  default: full-rollout
  prompt-update: {paths: ["prompts/**"]}
  canary: {trailers: {Change-Class: canary}}
  security-patch: {labels: [security], approved_by: [write]}
"""
CI = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL", "CIRCLECI")
KEY = {"GATE_SIGNING_KEY": "a key of more than sixteen bytes"}
UNTIL = "2026-11-01T02:00:00Z"
GLASS = ("--override", "the fix", "--override-approved-by", "@grace", "--override-until", UNTIL)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout with a policy whose budget is spent to two thirds."""
    folder = begin(tmp_path / "chat")
    counts = "counts:\n  availability: {total: 1000000, bad: 660}\n"
    commit(folder, "add the gate", {"gate.yaml": POLICY + CHANGES, "counts.yaml": counts})
    return folder


@pytest.fixture
def gate(repository: Path) -> Run:
    def run(*arguments: str, **more: str) -> Result:
        return run_gate(*arguments, cwd=repository, env={**dict.fromkeys(CI), **more})

    return run


def decide(gate: Run, *arguments: str, **more: str) -> tuple[int, dict[str, Any]]:
    done = gate("check", "gate.yaml", "--at", AT, "--format", "json", *arguments, **more)
    return done.exit_code, json.loads(done.stdout)


def recognised(gate: Run, *arguments: str, **more: str) -> tuple[str, str, list[str]]:
    (policy,) = decide(gate, *arguments, **more)[1]["policies"]
    return policy["change_class"], policy["recognised_by"], policy["recognised_from"]


def test_a_change_is_recognised_by_its_paths(gate: Run, repository: Path) -> None:
    commit(repository, "shorter", {"prompts/system.md": ""})
    assert recognised(gate, "--base", "HEAD~1") == (
        "prompt-update",
        "paths",
        ["prompts/system.md (prompts/**)"],
    )


def test_a_trailer_makes_a_canary_and_the_canary_ships(gate: Run, repository: Path) -> None:
    commit(repository, "try it\n\nChange-Class: canary", {"src/x.py": ""})
    code, decision = decide(gate, "--base", "HEAD~1")
    assert (code, decision["change_class"]) == (0, "canary")


def test_without_a_base_a_prompt_update_cannot_be_ruled_out(gate: Run) -> None:
    change, how, evidence = recognised(gate)
    assert (change, how) == ("prompt-update", "unknown")
    assert "name a base" in evidence[0]


def test_what_the_command_line_says_goes_before_all(gate: Run, repository: Path) -> None:
    commit(repository, "shorter", {"prompts/system.md": ""})
    assert recognised(gate, "--base", "HEAD~1", "--change", "rollback")[:2] == (
        "rollback",
        "--change",
    )


def test_a_label_that_needs_approval_does_not_count_without_one(
    gate: Run, repository: Path
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    commit(repository, "fix it", {"src/x.py": ""})
    merge_request = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_LABELS": "security",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_COMMIT_SHA": git(repository, "rev-parse", "HEAD"),
        "GITLAB_USER_LOGIN": "ada",
    }
    _, decision = decide(gate, "--policy-ref", "none", **merge_request)
    (policy,) = decision["policies"]
    assert (policy["change_class"], policy["recognised_by"]) == ("full-rollout", "default")
    assert "security-patch by labels (security) does not count" in policy["recognition_notes"][0]
    assert decision["context"]["system"] == "gitlab"
    assert decision["context"]["pull_request"] == 7
    assert decision["context"]["actor"] == "ada"


def test_a_freeze_of_gitlab_stops_a_change_and_lets_a_rollback_through(gate: Run) -> None:
    frozen = {"GITLAB_CI": "true", "CI_DEPLOY_FREEZE": "true"}
    as_it_is = ("--policy-ref", "none")
    code, decision = decide(gate, "--change", "canary", *as_it_is, **frozen)
    assert code == 10
    assert decision["policies"][0]["findings"][0]["reason"] == "frozen: gitlab has a deploy freeze"
    assert decide(gate, "--change", "rollback", *as_it_is, **frozen)[0] == 0
    assert decide(gate, "--change", "canary", "--ci", "none", **frozen)[0] == 0


def test_a_change_cannot_loosen_its_own_gate(gate: Run, repository: Path) -> None:
    loose = POLICY.replace('remaining: "> 50%"', 'remaining: "> 20%"') + CHANGES
    commit(repository, "loosen", {"gate.yaml": loose})
    asked = ("--change", "full-rollout")
    assert decide(gate, *asked)[0] == 0
    base = git(repository, "rev-parse", "HEAD~1")
    code, decision = decide(gate, *asked, "--policy-ref", base)
    (policy,) = decision["policies"]
    assert code == 10
    assert policy["proposed_policy"]["verdict"] == "allow"
    assert policy["source"]["revision"] == git(repository, "rev-parse", "HEAD~1")
    shown = gate("check", "gate.yaml", "--at", AT, *asked, "--policy-ref", base).stdout
    assert "this change alters it; by its own text the verdict would be allow" in shown


@pytest.mark.parametrize("text", ["nonsense: true\n", None])
def test_a_change_that_breaks_or_deletes_the_policy_is_judged_by_the_old_one(
    gate: Run, repository: Path, text: str | None
) -> None:
    (repository / "gate.yaml").unlink()
    commit(repository, "break", {} if text is None else {"gate.yaml": text})
    base = git(repository, "rev-parse", "HEAD~1")
    asked = ("--change", "full-rollout", "--policy-ref", base)
    code, decision = decide(gate, *asked)
    assert code == 10
    assert decision["policies"][0]["proposed_policy"]["verdict"] is None
    shown = gate("check", "gate.yaml", "--at", AT, *asked).stdout
    assert "into something that is not a policy" in shown


def test_a_policy_that_the_change_leaves_alone_is_not_a_matter(gate: Run, repository: Path) -> None:
    commit(repository, "other", {"src/x.py": ""})
    base = git(repository, "rev-parse", "HEAD~1")
    _, decision = decide(gate, "--change", "canary", "--policy-ref", base)
    assert decision["policies"][0]["proposed_policy"] is None


def test_a_new_policy_does_not_count(gate: Run, repository: Path) -> None:
    git(repository, "branch", "release")
    commit(repository, "another", {"new.yaml": POLICY})
    arguments = ("check", "new.yaml", "--at", AT, "--change", "canary", "--policy-ref", "release")
    done = gate(*arguments)
    assert done.exit_code == 3
    assert "release has no file new.yaml, and the one of the change does not count" in done.stderr
    assert "sets the policy's ref to 'none'" in done.stderr


def test_a_ref_that_is_not_there_is_undecided_and_no_way_round(gate: Run, tmp_path: Path) -> None:
    done = gate("check", "gate.yaml", "--change", "canary", "--policy-ref", "no-such-branch")
    assert done.exit_code == 3
    assert "there is no branch or tag 'no-such-branch'" in done.stderr
    (tmp_path / "outside.yaml").write_text(POLICY)
    outside = gate("check", "../outside.yaml", "--change", "canary", "--policy-ref", "main")
    assert outside.exit_code == 3
    assert "it is not in a git repository" in outside.stderr


@pytest.mark.parametrize("ref", ["HEAD", "HEAD~1", "-x", "main:x", "@{u}", "a..b", "FETCH_HEAD"])
def test_what_is_not_a_name_is_a_usage_error(gate: Run, ref: str) -> None:
    done = gate("check", "gate.yaml", "--change", "canary", f"--policy-ref={ref}")
    assert done.exit_code == 2
    assert "is not a valid ref of a policy" in done.stderr


def test_a_shallow_checkout_fetches_the_base(repository: Path, tmp_path: Path) -> None:
    commit(repository, "loosen", {"gate.yaml": POLICY.replace("> 50%", "> 20%") + CHANGES})
    git(repository, "branch", "release", "HEAD~1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(clone))
    arguments = ("check", "gate.yaml", "--at", AT, "--change", "full-rollout")
    done = run_gate(*arguments, "--policy-ref", "release", "--ci", "none", cwd=clone)
    assert done.exit_code == 10


def test_an_override_ships_the_change_and_never_looks_like_a_pass(gate: Run) -> None:
    code, decision = decide(gate, "--change", "model-update", *GLASS)
    assert (code, decision["verdict"], decision["overridden"]) == (0, "block", True)
    assert decision["override"] == {
        "reason": "the fix",
        "approved_by": "@grace",
        "until": UNTIL,
        "label": None,
    }
    for form in ("terminal", "markdown"):
        arguments = ("--change", "model-update", "--format", form)
        shown = gate("check", "gate.yaml", "--at", AT, *arguments, *GLASS).stdout
        assert "BLOCK (overridden: exit code 0)" in shown
        assert "the fix" in shown


def test_an_override_that_was_not_needed_changes_nothing(gate: Run) -> None:
    code, decision = decide(gate, "--change", "canary", *GLASS)
    assert (code, decision["verdict"], decision["overridden"]) == (0, "allow", False)
    shown = gate("check", "gate.yaml", "--at", AT, "--change", "canary", *GLASS).stdout
    assert "(not needed)" in shown


def test_a_decision_holds_no_longer_than_its_override(gate: Run) -> None:
    soon = (*GLASS[:-1], "2026-11-01T00:05:00Z")
    assert decide(gate, "--change", "model-update", *soon)[1]["expires_at"] == soon[-1]


@pytest.mark.parametrize(
    "options, words",
    [
        (GLASS[:2], "an override also needs --override-approved-by and --override-until"),
        (GLASS[2:4], "an override also needs --override and --override-until"),
        ((*GLASS[:-1], "2026-10-31T00:00:00Z"), "its end has passed"),
        ((*GLASS[:-1], "2026-11-03T00:00:00Z"), "later than the 1d that the policy allows"),
        ((*GLASS[:-1], "tomorrow"), "'tomorrow' is not a valid time"),
        (("--override", " ", *GLASS[2:]), "it has no reason"),
    ],
)
def test_half_an_override_is_none(gate: Run, options: tuple[str, ...], words: str) -> None:
    done = gate("check", "gate.yaml", "--at", AT, "--change", "model-update", *options)
    assert done.exit_code == 2
    assert words in done.stderr


def test_nobody_overrides_for_themselves(gate: Run) -> None:
    who = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "Grace"}
    asked = ("--at", AT, "--change", "model-update", "--policy-ref", "none")
    done = gate("check", "gate.yaml", *asked, *GLASS, **who)
    assert done.exit_code == 2
    assert "@grace cannot approve a change of their own" in done.stderr


def test_decisions_are_recorded_and_listed(gate: Run, repository: Path) -> None:
    record = ("--record", "decisions.jsonl")
    decide(gate, "--change", "canary", *record)
    decide(gate, "--change", "model-update", *record)
    decide(gate, "--change", "model-update", *GLASS, *record)
    lines = (repository / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["exit_code"] for line in lines] == [0, 10, 0]
    listed = gate("log", "decisions.jsonl")
    assert listed.exit_code == 0
    assert [line.split()[2] for line in listed.stdout.splitlines()[:3]] == [
        "allow",
        "block",
        "block,",
    ]
    only = gate("log", "decisions.jsonl", "--overrides").stdout
    assert "the fix (approved by @grace, until 2026-11-01T02:00:00Z)" in only
    assert len(only.splitlines()) == 2


def test_a_record_that_cannot_be_written_does_not_change_the_decision(gate: Run) -> None:
    done = gate(
        "check", "gate.yaml", "--at", AT, "--change", "canary", "--record", "no/such/folder"
    )
    assert done.exit_code == 0
    assert "no/such/folder could not be written" in done.stderr


@pytest.mark.parametrize(
    "text, words",
    [
        ("{}\n", "decisions.jsonl:1: this line is not the record of a decision"),
        ("[1]\n", "decisions.jsonl:1: this line is not the record of a decision"),
        ("{\n", "decisions.jsonl:1: this line cannot be read: it is not a JSON document"),
        (None, "cannot be read"),
    ],
)
def test_a_log_that_is_none_is_an_error(
    gate: Run, repository: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (repository / "decisions.jsonl").write_text(text)
    done = gate("log", "decisions.jsonl")
    assert done.exit_code == 2
    assert words in done.stderr


def test_waiting_asks_again_until_the_change_may_ship(repository: Path) -> None:
    asked = command("check", "gate.yaml", "--change", "model-update", "--wait", "2s")
    with subprocess.Popen(
        asked,
        cwd=repository,
        env=environment(dict.fromkeys(CI)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("gate: block; next attempt in 2 s")
        healed = "counts:\n  availability: {total: 1000000, bad: 1}\n"
        (repository / "counts.yaml").write_text(healed)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_waiting_ends(gate: Run) -> None:
    done = gate("check", "gate.yaml", "--change", "model-update", "--wait", "1s")
    assert done.exit_code == 10
    assert done.stderr.count("next attempt") == 1


def test_waiting_for_the_past_is_an_error(gate: Run) -> None:
    done = gate("check", "gate.yaml", "--at", AT, "--change", "canary", "--wait", "1s")
    assert done.exit_code == 2
    assert "the past does not change" in done.stderr


class TestVerify:
    """A decision is acted upon in another job, later."""

    @pytest.fixture
    def decision(self, gate: Run, repository: Path) -> Path:
        arguments = ("check", "gate.yaml", "--change", "canary", "--write", "json=decision.json")
        gate(*arguments)
        return repository / "decision.json"

    def test_it_holds_for_the_same_commit(self, gate: Run, decision: Path) -> None:
        for more in ({}, KEY):
            gate(
                "check", "gate.yaml", "--change", "canary", "--write", "json=decision.json", **more
            )
            done = gate("verify", decision.name, **more)
            assert (done.exit_code, done.stdout) == (0, "HOLDS decision.json: allow, exit code 0\n")

    def test_its_own_exit_code_is_given(self, gate: Run, decision: Path) -> None:
        gate("check", "gate.yaml", "--change", "model-update", "--write", f"json={decision.name}")
        done = gate("verify", decision.name)
        assert (done.exit_code, done.stdout) == (
            10,
            "HOLDS decision.json: block, exit code 10\n",
        )

    @pytest.mark.parametrize(
        "options, words",
        [
            (("--revision", "f" * 40), "and 'ffffffff"),
            (("--service", "chat", "--service", "rag"), "it is not about the service 'rag'"),
            (("--change", "model-update"), "it is about 'canary', and not 'model-update'"),
        ],
    )
    def test_it_is_refused_for_anything_else(
        self, gate: Run, decision: Path, options: tuple[str, ...], words: str
    ) -> None:
        done = gate("verify", decision.name, *options)
        assert done.exit_code == 3
        assert words in done.stdout

    def test_it_holds_for_what_it_is_about(self, gate: Run, decision: Path) -> None:
        options = ("--service", "chat", "--change", "canary")
        assert gate("verify", decision.name, *options).exit_code == 0

    @pytest.mark.parametrize("alter", ["verdict", "seal"])
    def test_an_altered_one_is_refused(self, gate: Run, decision: Path, alter: str) -> None:
        document = json.loads(decision.read_text())
        document[alter] = {}
        decision.write_text(json.dumps(document))
        done = gate("verify", decision.name)
        assert done.exit_code == 3
        assert "altered" in done.stdout

    def test_one_that_another_key_signed_is_refused(self, gate: Run, decision: Path) -> None:
        options = ("--change", "canary", "--write", f"json={decision.name}")
        gate("check", "gate.yaml", *options, **KEY)
        done = gate("verify", decision.name, GATE_SIGNING_KEY="another key of sixteen")
        assert (done.exit_code, done.stdout) == (
            3,
            "REFUSED decision.json: its signature does not match\n",
        )

    def test_a_stale_one_is_refused(self, gate: Run) -> None:
        gate("check", "gate.yaml", "--change", "canary", "--at", AT, "--write", "json=old.json")
        done = gate("verify", "old.json")
        assert (done.exit_code, done.stdout) == (
            3,
            "REFUSED old.json: it held until 2026-11-01T00:15:00Z\n",
        )

    def test_one_of_an_unknown_commit_is_refused(
        self, gate: Run, repository: Path, decision: Path
    ) -> None:
        (repository / ".git").rename(repository / "no-git")
        gate("check", "gate.yaml", "--change", "canary", "--write", "json=unknown.json")
        for name in ("unknown.json", decision.name):
            done = gate("verify", name)
            assert done.exit_code == 3
            assert "it does not say which commit it is about" in done.stdout

    @pytest.mark.parametrize(
        "text, words",
        [
            ("{", "is not a JSON document"),
            ('{"schema_version": NaN}', "NaN is not JSON"),
            ("[]", "is not a decision of version 1"),
            ('{"schema_version": 99}', "is not a decision of version 1"),
        ],
    )
    def test_what_is_not_a_decision_is_refused(
        self, gate: Run, repository: Path, text: str, words: str
    ) -> None:
        (repository / "other.json").write_text(text)
        done = gate("verify", "other.json")
        assert done.exit_code == 3
        assert words in done.stdout

    def test_a_missing_file_is_an_error(self, gate: Run) -> None:
        done = gate("verify", "other.json")
        assert done.exit_code == 2
        assert "other.json cannot be read" in done.stderr
