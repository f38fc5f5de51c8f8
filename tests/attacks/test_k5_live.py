"""A blocked change does not ship inside the next change that is allowed."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.hosted import AFTER, PUSHED, as_opened, reviewed
from tests.attacks.world import World
from tests.command import Result
from tests.hosts.repository import git
from tests.servers.github import TOKEN, Deployment, FakeGitHub, github
from tests.servers.github_answers import written
from tests.servers.github_changes import Pull


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def token(fake: FakeGitHub) -> dict[str, Any]:
    return {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": fake.url}


def saying(world: World, live: str) -> str:
    """Say in the policy of main what tells what is live, and return the commit."""
    revision = world.commit("Policy", {"gate.yaml": f"{world.policy}live: {live}\n"})
    world.push("main")
    return revision


def push(world: World, message: str, files: dict[str, str], *arguments: str, **more: Any) -> Result:
    """Push to main, and run the gate before the deploy, on a checkout of its own."""
    world.commit(message, files)
    world.pushed()
    if not world.checkout.exists():
        world.check_out()
    else:
        git(world.checkout, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        git(world.checkout, "checkout", "--quiet", "--force", "-B", "main", "origin/main")
    return world.run(*arguments, **more)


def document(result: Result) -> Any:
    return json.loads(result.stdout)["policies"][0]


def deployed(fake: FakeGitHub, revision: str, *states: str, hour: int = 8, **more: Any) -> None:
    at = f"2026-10-30T{hour:02}:00:00Z"
    statuses = tuple((state, at) for state in states or ("success",))
    fake.deployments.append(Deployment(sha=revision, created=at, statuses=statuses, **more))


def test_a_blocked_model_does_not_ship_with_the_next_fix(world: World, fake: FakeGitHub) -> None:
    live = saying(world, "{github-deployments: production}")
    deployed(fake, live)
    first = push(world, "Update", {"models/a.bin": "2"}, **token(fake))
    assert first.exit_code == 10
    second = push(world, "fix: typo", {"src/a.py": "a = 2\n"}, **token(fake))
    assert second.exit_code == 10
    assert "model-update" in second.stdout
    third = push(world, "fix: another", {"src/a.py": "a = 3\n"}, "--format", "json", **token(fake))
    assert third.exit_code == 10
    assert document(third)["compared"] == {
        "base": live,
        "base_from": "github-deployments: production",
        "files": 2,
        "commits": 3,
    }
    # Once it is live, the next fix is only a fix.
    deployed(fake, world.revision(), hour=9)
    fourth = push(world, "fix: more", {"src/a.py": "a = 4\n"}, **token(fake))
    assert fourth.exit_code == 0, fourth.stdout


NOT_LIVE = {
    "failed": ("failure", "in_progress"),
    "in progress": ("in_progress",),
    "waiting": ("pending", "queued"),
    "in error": ("error",),
    "taken down": ("inactive", "success"),
    "without a word": (),
}


@pytest.mark.parametrize("states", NOT_LIVE.values(), ids=NOT_LIVE)
def test_a_deployment_that_is_not_live_is_not_a_base(
    world: World, fake: FakeGitHub, states: tuple[str, ...]
) -> None:
    live = saying(world, "{github-deployments: production}")
    deployed(fake, live)
    push(world, "Update", {"models/a.bin": "2"}, **token(fake))
    at = "2026-10-30T09:00:00Z"
    tried = tuple((state, at) for state in states)
    fake.deployments.append(Deployment(sha=world.revision(), created=at, statuses=tried))
    deployed(fake, world.revision(), hour=10, environment="staging")
    assert push(world, "fix: typo", {"src/a.py": "a = 2\n"}, **token(fake)).exit_code == 10


UNANSWERED = {
    "no permission": ("forbidden", "repos/list-deployments"),
    "no sight": ("hidden", "repos/list-deployments"),
    "no statuses": ("forbidden", "repos/list-deployment-statuses"),
}


@pytest.mark.parametrize(("kind", "operation"), UNANSWERED.values(), ids=UNANSWERED)
def test_a_base_that_cannot_be_asked_rules_nothing_out(
    world: World, fake: FakeGitHub, kind: str, operation: str
) -> None:
    deployed(fake, saying(world, "{github-deployments: production}"))
    getattr(fake, kind).add(operation)
    result = push(world, "fix: typo", {"src/a.py": "a = 2\n"}, **token(fake))
    assert result.exit_code == 10
    assert "the live commit is unknown" in result.stdout


def test_the_first_deploy_ever_rules_nothing_out_and_may_be_named(
    world: World, fake: FakeGitHub
) -> None:
    saying(world, "{github-deployments: production}")
    first = push(world, "fix: x", {"src/a.py": "a = 2\n"}, **token(fake))
    assert first.exit_code == 10
    assert "nothing was ever deployed to production" in first.stdout
    assert world.run("--change", "canary", **token(fake)).exit_code == 0


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "schedule", "deployment"])
def test_without_a_word_on_what_is_live_no_push_is_only_a_fix(world: World, event: str) -> None:
    result = push(world, "fix: x", {"src/a.py": "a = 2\n"}, GITHUB_EVENT_NAME=event)
    assert result.exit_code == 10
    assert "it is not known what is live" in result.stdout


@pytest.mark.parametrize("before", ["HEAD", "HEAD~1"])
def test_what_was_there_before_a_push_is_not_a_base(world: World, before: str) -> None:
    world.commit("Update", {"models/a.bin": "2"})
    world.commit("fix: x", {"src/a.py": "a = 2\n"})
    world.pushed(before=world.revision(before))
    world.check_out()
    assert world.run().exit_code == 10


def test_a_base_that_the_workflow_names_is_what_is_live(world: World) -> None:
    live = world.revision()
    assert push(world, "Update", {"models/a.bin": "2"}, "--base", live).exit_code == 10
    assert push(world, "fix: x", {"src/a.py": "a = 2\n"}, "--base", live).exit_code == 10
    shipped = world.revision()
    assert push(world, "fix: y", {"src/a.py": "a = 3\n"}, "--base", shipped).exit_code == 0


def test_a_file_that_the_deploy_writes_is_what_is_live(world: World) -> None:
    live = saying(world, "{file: ../live}")
    state = world.folder / "live"
    state.write_text(live)
    assert push(world, "Update", {"models/a.bin": "2"}).exit_code == 10
    assert push(world, "fix: x", {"src/a.py": "a = 2\n"}).exit_code == 10
    state.write_text(world.revision())
    assert push(world, "fix: y", {"src/a.py": "a = 3\n"}).exit_code == 0


def test_a_file_of_the_change_does_not_say_what_is_live(world: World) -> None:
    saying(world, "{file: live}")
    world.commit("Update", {"models/a.bin": "2"})
    result = push(world, "fix: x", {"src/a.py": "a = 2\n", "live": world.revision()})
    assert result.exit_code == 10
    assert "belongs to the change" in result.stdout


def test_recorded_decisions_say_what_was_allowed(world: World) -> None:
    log = ("--record", str(world.folder / "log"))
    assert push(world, "Begin", {"src/b.py": ""}, *log, "--change", "canary").exit_code == 0
    assert push(world, "Update", {"models/a.bin": "2"}, *log).exit_code == 10
    assert push(world, "fix: x", {"src/a.py": "a = 2\n"}, *log).exit_code == 10
    git(world.work, "revert", "--no-edit", "HEAD~1")
    back = push(world, "fix: y", {"src/a.py": "a = 3\n"}, *log)
    assert back.exit_code == 0, back.stdout  # without the model it is only a fix
    observed = push(world, "Update", {"models/a.bin": "3"}, *log, "--dry-run")
    assert observed.exit_code == 0
    assert push(world, "fix: z", {"src/a.py": "a = 4\n"}, *log).exit_code == 10


def test_a_fix_on_what_was_allowed_is_a_fix(world: World) -> None:
    log = ("--record", str(world.folder / "log"))
    push(world, "Begin", {"src/b.py": ""}, *log, "--change", "canary")
    for number in (2, 3):
        result = push(world, f"fix: {number}", {"src/a.py": f"a = {number}\n"}, *log)
        assert result.exit_code == 0, result.stdout


def test_a_recorded_decision_on_a_pull_request_is_not_a_deploy(world: World) -> None:
    """The pull request of the fix was allowed, which says nothing of what is below it."""
    log = ("--record", str(world.folder / "log"))
    world.commit("Update", {"models/a.bin": "2"})
    world.push("main")
    world.change("fix: x", {"src/a.py": "a = 2\n"})
    world.open()
    world.check_out()
    assert world.run(*log).exit_code == 0
    head = world.revision()
    git(world.work, "checkout", "--quiet", "main")
    git(world.work, "merge", "--quiet", "--ff-only", "change")
    assert world.revision() == head
    world.pushed()
    git(world.checkout, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    git(world.checkout, "checkout", "--quiet", "--force", "-B", "main", "origin/main")
    assert world.run(*log).exit_code == 10


def test_a_log_that_the_change_brings_along_allows_nothing(world: World, tmp_path: Path) -> None:
    log = ("--record", str(tmp_path / "true.jsonl"))
    world.commit("Update", {"models/a.bin": "2"})
    evil = world.revision()
    push(world, "fix: x", {"src/a.py": "a = 2\n"}, *log, "--change", "canary")
    line = (tmp_path / "true.jsonl").read_text().replace(world.revision(), evil)
    result = push(world, "fix: y", {"log": line, "src/a.py": "a = 3\n"}, "--record", "log")
    assert result.exit_code == 10


class TestGoingBack:
    """The live revision is not always an ancestor of the one that ships."""

    def world_of_two(self, world: World, fake: FakeGitHub) -> tuple[str, str]:
        """Return a commit that was live, and what is live now: a model later."""
        old = saying(world, "{github-deployments: production}")
        live = world.commit("Update", {"models/a.bin": "2"})
        deployed(fake, old, "inactive", "success")
        deployed(fake, live, hour=9)
        fake.changes.repository = world.host
        world.pushed()
        return old, live

    def at(self, world: World, revision: str, *arguments: str, **more: Any) -> Result:
        world.more |= {"GITHUB_SHA": revision, "GITHUB_EVENT_NAME": "workflow_dispatch"}
        if not world.checkout.exists():
            world.check_out()
        git(world.checkout, "checkout", "--quiet", "--force", "--detach", revision)
        return world.run(*arguments, **more)

    def test_a_commit_that_was_live_is_a_rollback(self, world: World, fake: FakeGitHub) -> None:
        old, live = self.world_of_two(world, fake)
        result = self.at(world, old, **token(fake))
        assert result.exit_code == 0, result.stdout
        assert "rollback" in result.stdout
        assert self.at(world, live, **token(fake)).exit_code == 0  # deployed once more

    def test_a_commit_that_never_was_live_is_none(self, world: World, fake: FakeGitHub) -> None:
        _, live = self.world_of_two(world, fake)
        git(world.work, "checkout", "--quiet", "-B", "main", f"{live}~1")
        other = world.commit("fix: x", {"src/a.py": "a = 2\n"})
        world.push("main")
        result = self.at(world, other, **token(fake))
        assert result.exit_code == 10
        assert "model-update" in result.stdout

    def test_who_says_so_may_go_back(self, world: World, fake: FakeGitHub) -> None:
        old, _ = self.world_of_two(world, fake)
        fake.deployments.pop(0)
        assert self.at(world, old, **token(fake)).exit_code == 10
        assert self.at(world, old, "--change", "rollback", **token(fake)).exit_code == 0

    def test_a_newer_commit_is_not_a_rollback_although_it_was_tried(
        self, world: World, fake: FakeGitHub
    ) -> None:
        _, live = self.world_of_two(world, fake)
        newer = world.commit("Update", {"models/a.bin": "3"})
        world.pushed()
        deployed(fake, newer, "inactive", "success", hour=10)
        assert live != newer
        assert self.at(world, newer, **token(fake)).exit_code == 10

    def test_a_revert_is_judged_by_its_files(self, world: World, fake: FakeGitHub) -> None:
        self.world_of_two(world, fake)
        git(world.work, "revert", "--no-edit", "HEAD")
        world.pushed()
        assert self.at(world, world.revision(), **token(fake)).exit_code == 10


class TestApproved:
    """An approved security patch ships in its queue and by its push, and nothing else beside it."""

    @pytest.fixture
    def patch(self, world: World, fake: FakeGitHub) -> str:
        deployed(fake, saying(world, "{github-deployments: production}"))
        head = world.change("Close a hole", {"src/a.py": "a = 2\n"})
        as_opened(world, fake)
        fake.changes.pulls[7] = Pull(labels=("security",), head=head, merged=True)
        fake.reviews = [reviewed("grace", head)]
        return head

    def merged(self, world: World, fake: FakeGitHub) -> str:
        git(world.work, "checkout", "--quiet", "main")
        git(world.work, "merge", "--quiet", "--no-ff", "--no-edit", "change")
        fake.changes.of_commits[world.revision()] = (7,)
        return world.revision()

    def test_it_ships_by_its_push(self, world: World, fake: FakeGitHub, patch: str) -> None:
        assert patch
        self.merged(world, fake)
        world.pushed()
        world.check_out()
        result = world.run(**token(fake))
        assert result.exit_code == 0, result.stdout
        assert "security-patch" in result.stdout

    def test_a_direct_push_does_not_ship_with_it(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        assert patch
        self.merged(world, fake)
        world.commit("feat: x", {"src/b.py": ""})
        world.pushed()
        world.check_out()
        assert world.run(**token(fake)).exit_code == 10

    def test_another_pull_request_does_not_ship_with_it(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        assert patch
        self.merged(world, fake)
        other = world.commit("feat: x", {"src/b.py": ""})
        fake.changes.pulls[8] = Pull(head=other, merged=True)
        fake.changes.of_commits[other] = (8,)
        world.pushed()
        world.check_out()
        assert world.run(**token(fake)).exit_code == 10
        # Nor with the label, which nobody has approved there.
        fake.changes.pulls[8] = Pull(head=other, merged=True, labels=("security",))
        assert world.run(**token(fake)).exit_code == 10

    @pytest.mark.parametrize("how", ["in the merge itself", "in a commit after the approved one"])
    def test_what_somebody_adds_to_the_merge_does_not_ship_with_it(
        self, world: World, fake: FakeGitHub, patch: str, how: str
    ) -> None:
        """GitHub takes a merge that somebody made and pushed for that of the pull request."""
        assert patch
        if how == "in a commit after the approved one":
            world.commit("feat: x", {"src/b.py": ""})
        self.merged(world, fake)
        if how == "in the merge itself":
            (world.work / "src/b.py").write_text("")
            git(world.work, "add", "--all")
            git(world.work, "commit", "--quiet", "--amend", "--no-edit")
        fake.changes.of_commits[world.revision()] = (7,)
        world.pushed()
        world.check_out()
        assert world.run(**token(fake)).exit_code == 10

    def test_an_approval_of_another_commit_does_not_count(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        fake.reviews = [reviewed("grace", "d" * 40)]
        assert patch
        self.merged(world, fake)
        world.pushed()
        world.check_out()
        assert world.run(**token(fake)).exit_code == 10

    def queued(self, world: World, *numbers: int) -> None:
        base, head = world.on_host("main"), world.revision()
        branch = f"refs/heads/gh-readonly-queue/main/pr-{numbers[-1]}-{base}"
        world.push(f"HEAD:{branch}")
        world.event = {
            "action": "checks_requested",
            "repository": {"full_name": "acme/chat", "default_branch": "main"},
            "merge_group": {
                "head_sha": head,
                "head_ref": branch,
                "base_sha": base,
                "base_ref": "refs/heads/main",
            },
        }
        world.more = {
            "GITHUB_EVENT_NAME": "merge_group",
            "GITHUB_REF": branch,
            "GITHUB_REF_NAME": branch.removeprefix("refs/heads/"),
            "GITHUB_SHA": head,
        }
        world.check_out()

    def test_it_ships_in_the_queue_as_in_its_pull_request(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        fake.changes.pulls[7] = Pull(labels=("security",), head=patch)
        self.merged(world, fake)
        self.queued(world, 7)
        fake.single = {world.revision(): written(world.revision(), at=AFTER)}
        result = world.run(**token(fake))
        assert result.exit_code == 0, result.stdout
        assert world.run().exit_code == 10  # nobody to ask

    @pytest.mark.parametrize("number", [7, 8])
    def test_what_was_approved_after_the_queue_took_it_does_not_count(
        self, world: World, fake: FakeGitHub, patch: str, number: int
    ) -> None:
        """The queue has another commit, which its author has pushed over since."""
        fake.changes.pulls |= {n: Pull(labels=("security",), head=patch) for n in (7, number)}
        self.merged(world, fake)
        if number != 7:
            world.commit("Close another", {"src/b.py": ""})
            fake.changes.of_commits[world.revision()] = (number,)
        self.queued(world, number)
        taken = (datetime.fromisoformat(PUSHED) - timedelta(minutes=1)).isoformat()
        fake.single = {world.revision(): written(world.revision(), at=taken)}
        result = world.run(**token(fake))
        assert result.exit_code == 10
        assert "it is not known which commit of pull request 7 the queue took" in " ".join(
            result.stdout.split()
        )

    def test_two_approved_patches_ship_in_one_group(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        fake.changes.pulls |= {n: Pull(labels=("security",), head=patch) for n in (7, 8)}
        self.merged(world, fake)
        world.commit("Close another", {"src/a.py": "a = 3\n"})
        fake.changes.of_commits[world.revision()] = (8,)
        self.queued(world, 8)
        fake.single = {world.revision(): written(world.revision(), at=AFTER)}
        result = world.run(**token(fake))
        assert result.exit_code == 0, result.stdout

    def test_the_rest_of_the_queues_group_does_not_ship_with_it(
        self, world: World, fake: FakeGitHub, patch: str
    ) -> None:
        fake.changes.pulls |= {7: Pull(labels=("security",), head=patch), 8: Pull()}
        self.merged(world, fake)
        world.commit("feat: x", {"src/b.py": ""})
        fake.changes.of_commits[world.revision()] = (8,)
        self.queued(world, 7, 8)
        assert world.run(**token(fake)).exit_code == 10


RISKY = {
    "by a label": 'model-update: {paths: ["models/**"], labels: [model]}',
    "by a label that needs approval": (
        'model-update: {paths: ["models/**"], labels: [model], approved_by: ["@grace"]}'
    ),
}


@pytest.mark.parametrize("how", RISKY.values(), ids=RISKY)
def test_a_riskier_class_by_a_label_counts_in_a_push(
    world: World, fake: FakeGitHub, how: str
) -> None:
    policy = world.policy.replace('model-update: {paths: ["models/**"]}', how)
    live = world.commit(
        "Policy", {"gate.yaml": f"{policy}live: {{github-deployments: production}}\n"}
    )
    deployed(fake, live)
    world.commit("fix: x", {"src/a.py": "a = 2\n"})
    fake.changes.of_commits[world.revision()] = (7,)
    world.pushed()
    world.check_out()
    fake.changes.pulls[7] = Pull(merged=True)
    assert world.run(**token(fake)).exit_code == 0
    fake.changes.pulls[7] = Pull(merged=True, labels=("model",))
    assert world.run(**token(fake)).exit_code == 10
    fake.forbidden = {"repos/list-pull-requests-associated-with-commit"}
    assert world.run(**token(fake)).exit_code == 10
