"""``gate sweep`` renews what holds no longer, and never on less than a run of the gate needs."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import AT, POLICY
from tests.cli.sweeping import BY_PATH, Sweeps, ages, commit, last_line
from tests.command import Result, Run, gate
from tests.servers import gitlab as lab
from tests.servers.github import FakeGitHub
from tests.servers.github_answers import refused

STATUSES = "repos/list-commit-statuses-for-ref"
SET = "repos/create-commit-status"


@pytest.fixture
def sweeps(fake: FakeGitHub, on_pull_request: Run, tmp_path: Path) -> Sweeps:
    return Sweeps(fake, on_pull_request, tmp_path)


def test_a_verdict_that_is_too_old_is_given_anew_by_the_budget_of_now(sweeps: Sweeps) -> None:
    sha, other = sweeps.judged(1), sweeps.judged(2, files=("src/a.py",))
    assert [sweeps.state(sha), sweeps.state(other)] == ["success", "failure"]
    done = sweeps.sweep(bad=100)  # now there is enough for everything
    assert [sweeps.state(sha), sweeps.state(other)] == ["success", "success"]
    assert done.stdout.splitlines() == [
        "#1: success -> success: ALLOW: canary of chat",
        "#2: failure -> success: ALLOW: full-rollout of chat",
        "gate/chat: 2 open, 2 checked, 2 set, 0 skipped (0 still valid, "
        "0 no verdict, so nothing to take back, 0 no status of this gate), 0 failed",
    ]
    assert done.exit_code == 0


def test_a_success_goes_where_the_budget_is_spent(sweeps: Sweeps) -> None:
    sha = sweeps.judged()
    assert sweeps.sweep(bad=2_000).exit_code == 0
    assert sweeps.state(sha) == "failure"


def test_what_still_holds_is_left_alone_and_nothing_is_measured(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged(1, "--wait", "1s")
    fake.seen.clear()
    done = sweeps.sweep(bad=2_000)
    assert sweeps.state(sha) == "success"
    assert fake.seen == ["pulls/list", "users/get-authenticated", STATUSES]
    assert "1 still valid" in last_line(done)
    assert sweeps.sweep(text=BY_PATH + "# another text\n").exit_code == 0
    assert sweeps.state(sha) == "success"
    assert len(fake.statuses) == 3  # set anew, since the policy has changed


def test_the_second_sweep_has_nothing_to_do(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sweeps.judged(1)
    sweeps.judged(2, "--change", "canary", files=("src/a.py",))
    sweeps.sweep()
    sent = len(fake.statuses)
    assert "0 set, 2 skipped" in last_line(sweeps.sweep())
    assert len(fake.statuses) == sent


def test_a_policy_that_changed_takes_effect_at_once(sweeps: Sweeps) -> None:
    sha = sweeps.judged(1, "--wait", "1s")
    strict = BY_PATH.replace("allow: [canary, ", "allow: [")
    assert sweeps.sweep(text=strict).exit_code == 0
    assert sweeps.state(sha) == "failure"


@pytest.mark.parametrize(
    "arguments, facts",
    [
        (("--change", "canary"), {"files": ("src/a.py",)}),  # stated, and not recognised
        (("--dry-run",), {"files": ("src/a.py",)}),
        (("--impact", "canary=1%"), {}),
        (("--environment", "production"), {}),
        (("--gate-key", "eu"), {}),
        ((), {"base": "release"}),
    ],
)
def test_what_a_run_was_told_is_not_known_to_a_sweep(
    sweeps: Sweeps, fake: FakeGitHub, arguments: tuple[str, ...], facts: dict[str, Any]
) -> None:
    sha = sweeps.judged(1, *arguments, **facts)
    (name,) = fake.shown(sha)
    assert sweeps.state(sha, name) == "success"
    sweeps.sweep()
    if name == "gate/chat":
        assert sweeps.state(sha) == "pending"
        assert ages(sweeps.text(sha))
    else:  # is another gate's
        assert sweeps.state(sha, name) == "success"
        assert list(fake.shown(sha)) == [name]


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--dry-run",),
        ("--fail-on", "warn"),
        ("--environment", "production"),
        ("--gate-key", "eu"),
        ("--status-name", "error budget"),
    ],
)
def test_what_the_sweep_is_reported_too_is_renewed(
    sweeps: Sweeps, fake: FakeGitHub, arguments: tuple[str, ...]
) -> None:
    sha = sweeps.judged(1, *arguments)
    (name,) = fake.shown(sha)
    before = len(fake.statuses)
    as_given = (word.replace("--dry-run", "--gate-dry-run") for word in arguments)
    assert sweeps.sweep(*as_given).exit_code == 0
    assert sweeps.state(sha, name) == "success"
    assert len(fake.statuses) == before + 1


def test_a_class_that_cannot_be_recognised_waits_and_is_renewed_when_it_can(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged()
    fake.forbidden = {"pulls/list-files", "pulls/list-commits"}
    assert sweeps.sweep().exit_code == 0
    assert sweeps.state(sha) == "pending"
    fake.forbidden = set()
    assert sweeps.sweep().exit_code == 0
    assert sweeps.state(sha) == "success"


def test_a_change_that_has_become_another_class_waits(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sha = sweeps.judged(files=("src/a.py",))
    assert sweeps.state(sha) == "failure"
    fake.pulls[0].files = ("canary/a.yaml",)  # as it may look for a sweep, and not for a run
    fake.changes.pulls[1].messages = ("canary: try it",)
    sweeps.sweep()
    assert sweeps.state(sha) == "pending"


def test_a_budget_that_cannot_be_measured_is_pending(sweeps: Sweeps) -> None:
    sha = sweeps.judged()
    broken = BY_PATH.replace("{name: availability", "{name: absent")
    assert sweeps.sweep(text=broken).exit_code == 0
    assert sweeps.state(sha) == "pending"
    assert sweeps.text(sha) == "The policy has changed; the next run decides"


def test_a_decision_that_cannot_be_made_is_pending(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise LookupError("planted")

    sha = sweeps.judged()
    monkeypatch.setattr("gate.cli.sweep.judge_measured", refuse)
    assert sweeps.sweep().exit_code == 0
    assert sweeps.state(sha) == "pending"


def test_two_pull_requests_of_one_commit_share_a_status_that_waits(sweeps: Sweeps) -> None:
    sha = sweeps.judged(1)
    sweeps.open(2, sha=sha, base="release")
    sweeps.sweep()
    assert sweeps.state(sha) == "pending"


def test_a_status_of_an_earlier_version_waits(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sweeps.open()
    fake.plant_status(
        commit(1),
        fake.writer,
        state="success",
        context="gate/chat",
        description="ALLOW: canary of chat",
        target_url=None,
    )
    sweeps.sweep()
    assert sweeps.state(commit(1)) == "pending"
    assert sweeps.text(commit(1)).startswith("It is not known when the budget was measured")


@pytest.mark.parametrize("text", ["", "version: 1\n"])
def test_a_run_without_a_decision_stays_an_error(sweeps: Sweeps, text: str) -> None:
    sha = sweeps.judged(text="service: chat\n")
    done = sweeps.sweep()
    assert sweeps.state(sha) == "error"
    assert "1 no verdict, so nothing to take back" in last_line(done)
    assert sweeps.sweep(text=text).exit_code == 2


def test_an_undecided_run_is_decided_once_it_can_be_measured(sweeps: Sweeps) -> None:
    sha = sweeps.judged(text=BY_PATH.replace("{name: availability", "{name: absent"))
    assert sweeps.state(sha) == "error"
    sweeps.sweep()
    assert sweeps.state(sha) == "success"


def test_a_service_that_was_renamed_leaves_no_success_behind(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged()
    sweeps.sweep(text=BY_PATH.replace("service: chat", "service: search"))
    assert list(fake.shown(sha)) == ["gate/chat"]
    assert sweeps.state(sha) == "pending"


def test_a_dry_run_sets_nothing(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sha = sweeps.judged()
    sent = len(fake.statuses)
    done = sweeps.sweep("--dry-run", bad=2_000)
    assert (done.exit_code, len(fake.statuses), sweeps.state(sha)) == (0, sent, "success")
    assert "#1: success -> failure: BLOCK: canary of chat" in done.stdout
    assert "1 would be set" in last_line(done)


def test_a_limit_leaves_the_rest_for_the_next_sweep(sweeps: Sweeps) -> None:
    for number in (1, 2, 3):
        sweeps.judged(number)
    done = sweeps.sweep("--limit", "2", bad=2_000)
    assert done.exit_code == 3
    assert "Stopped early, 1 not checked: as many statuses are set" in last_line(done)
    assert sweeps.state(commit(3)) == "success"
    assert sweeps.sweep("--limit", "2", bad=2_000).exit_code == 0
    assert sweeps.state(commit(3)) == "failure"


def test_one_pull_request_that_fails_is_counted_and_the_others_are_done(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    for number in (1, 2):
        sweeps.judged(number)
    fake.faults[STATUSES] = [refused(404, "Not Found")]
    done = sweeps.sweep(bad=2_000)
    assert done.exit_code == 3
    assert "#1: failed: cannot list the statuses of a commit: GitHub answers 404" in done.stdout
    assert (sweeps.state(commit(1)), sweeps.state(commit(2))) == ("success", "failure")


@pytest.mark.parametrize("operation", [STATUSES, SET])
def test_at_a_limit_that_lasts_it_stops_kindly(
    sweeps: Sweeps, fake: FakeGitHub, operation: str
) -> None:
    for number in (1, 2, 3):
        sweeps.judged(number)
    limit = refused(403, "You have exceeded a secondary rate limit", Retry_After="3600")
    fake.faults[operation] = [limit]
    fake.seen.clear()
    done = sweeps.sweep(bad=2_000)
    assert done.exit_code == 3
    assert "Stopped early, 3 not checked: cannot" in last_line(done)
    assert fake.seen.count(operation) == 1


def test_a_limit_that_passes_is_waited_for(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sha = sweeps.judged()
    fake.faults[SET] = [refused(429, "Too many requests", Retry_After="0")]
    assert sweeps.sweep(bad=2_000).exit_code == 0
    assert sweeps.state(sha) == "failure"


@pytest.mark.parametrize(
    "more, code, words",
    [
        ({"GITHUB_TOKEN": ""}, 2, "there is no token for GitHub or GitLab"),
        ({"GITHUB_REF_NAME": "change"}, 2, "this is a run of change"),
        ({"GITHUB_TOKEN": "wrong"}, 3, "no status was examined: cannot list the open pull"),
    ],
)
def test_where_a_sweep_cannot_be_that_is_reported(
    sweeps: Sweeps, more: dict[str, Any], code: int, words: str
) -> None:
    done = sweeps.sweep(**more)
    assert (done.exit_code, words in done.stderr) == (code, True)


def test_a_run_of_a_pull_request_cannot_sweep_by_its_own_policy(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged(files=("src/a.py",))
    event = {
        "repository": {"default_branch": "main"},
        "pull_request": {"number": 1, "head": {"sha": sha, "ref": "main"}, "base": {}},
    }
    loose = POLICY.replace("> 10%", "> 99%").replace("otherwise: true\n    allow: [", "")
    assert sweeps.sweep(text=loose, event=event).exit_code == 2
    assert sweeps.state(sha) == "failure"
    assert fake.seen.count("pulls/list") == 0


def test_gitlab_is_swept_too(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(POLICY)
    runner = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "schedule",
        "CI_PROJECT_ID": str(lab.PROJECT),
        "CI_PROJECT_PATH": lab.PATH,
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_REF_NAME": "main",
        "CI_COMMIT_SHA": commit(1),
        "CI_JOB_URL": "https://gitlab.example/acme/chat/-/jobs/7",
        "GITLAB_TOKEN": lab.TOKEN,
    }

    def run(*arguments: str, bad: int) -> Result:
        counts = f"counts: {{availability: {{total: 1000000, bad: {bad}}}}}"
        (tmp_path / "counts.yaml").write_text(counts)
        return gate(*arguments, cwd=tmp_path, env={**runner, "CI_API_V4_URL": fake.url})

    with lab.gitlab() as fake:
        fake.requests = [
            {
                "iid": 1,
                "sha": commit(1),
                "title": "Answer in fewer words",
                "source_branch": "shorter",
                "target_branch": "main",
                "labels": [],
                "author": {"username": "ada"},
            }
        ]
        assert run("check", "gate.yaml", "--status", "--at", AT, bad=1).exit_code == 0
        done = run("sweep", "gate.yaml", bad=820)
        assert "#1: success -> failure: BLOCK: full-rollout of chat" in done.stdout
        assert run("sweep", "gate.yaml", bad=820).stdout.startswith("gate/chat: 1 open")
        states = [body["state"] for _, body in fake.statuses]
        assert states == ["pending", "success", "failed"]
