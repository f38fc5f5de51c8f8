"""A partly known change excludes no class."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.attacks.world import World, keeps_its_secrets
from tests.hosts.repository import git
from tests.servers.github import PULL, TOKEN, FakeGitHub, github
from tests.servers.github_answers import Answer
from tests.servers.github_changes import Pull


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def token(fake: FakeGitHub) -> dict[str, Any]:
    return {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": fake.url}


def fixes_upon_a_feature(world: World, fixes: int = 4) -> list[str]:
    """Make a change whose newest commits are fixes; return the messages of all."""
    messages = ["feat: rewrite the server", *(f"fix: {number}" for number in range(fixes))]
    for number, message in enumerate(messages):
        world.change(message, {f"src/{number}.py": ""})
    return messages


@pytest.mark.parametrize("depth", range(1, 7))
def test_no_depth_hides_the_rest_of_a_change(world: World, depth: int) -> None:
    fixes_upon_a_feature(world)
    world.open()
    world.check_out(depth=depth)
    result = world.run()
    assert result.exit_code == 10, result.stdout
    assert "whole history" in result.stdout or "not in this checkout" in result.stdout
    assert keeps_its_secrets(result)


CUTS = {
    "since a day": ("--shallow-since=2000-01-01",),
    "without the target branch": ("--shallow-exclude=refs/heads/main",),
}


@pytest.mark.parametrize("more", CUTS.values(), ids=CUTS)
def test_no_other_cut_does(world: World, more: tuple[str, ...]) -> None:
    fixes_upon_a_feature(world)
    world.open()
    try:
        world.check_out(more=more)
    except Exception:  # noqa: BLE001 - not every git takes it
        pytest.skip("this git cuts otherwise")
    assert world.run().exit_code == 10


def deepened(world: World) -> None:
    world.check_out(depth=1)
    refs = ("+refs/heads/main:refs/remotes/origin/main", f"refs/pull/{PULL}/head")
    git(world.checkout, "fetch", "--quiet", "--depth=3", "origin", *refs)


def with_the_base_only(world: World) -> None:
    world.check_out(depth=2)
    git(world.checkout, "fetch", "--quiet", "--depth=1", "origin", "refs/heads/main")


def grafted(world: World) -> None:
    world.check_out()
    top = world.revision()
    (world.checkout / ".git/info").mkdir(exist_ok=True)
    (world.checkout / ".git/info/grafts").write_text(f"{top} {world.on_host('main')}\n")


def replaced(world: World) -> None:
    world.check_out()
    fix = git(world.checkout, "rev-parse", world.revision())
    for commit in git(world.checkout, "rev-list", f"origin/main..{fix}~1").split():
        git(world.checkout, "replace", "--force", commit, fix)


def noted(world: World) -> None:
    world.check_out()
    for commit in git(world.checkout, "rev-list", f"origin/main..{world.revision()}").split():
        git(world.checkout, "notes", "add", "--message=fix: x\n\nChange-Class: canary", commit)
    git(world.checkout, "config", "notes.displayRef", "refs/notes/*")


def mapped(world: World) -> None:
    world.check_out()
    for setting in ("log.follow=true", "log.decorate=full", "log.showSignature=true"):
        git(world.checkout, "config", *setting.split("="))
    for setting in ("diff.relative=true", "diff.renames=copies", "diff.ignoreSubmodules=all"):
        git(world.checkout, "config", *setting.split("="))


def with_another_origin(world: World) -> None:
    world.check_out(depth=1)
    git(world.checkout, "update-ref", "refs/remotes/origin/main", "HEAD")


MADE = {
    "a fetch of more": deepened,
    "a base without what is between": with_the_base_only,
    "grafts": grafted,
    "replaced commits": replaced,
    "notes": noted,
    "settings": mapped,
    "a target branch that is the change": with_another_origin,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_no_made_up_history_does(world: World, make: Callable[[World], None]) -> None:
    fixes_upon_a_feature(world)
    world.open()
    make(world)
    assert world.run().exit_code == 10


def test_a_whole_checkout_of_fixes_ships(world: World) -> None:
    for number in range(3):
        world.change(f"fix: {number}", {f"src/{number}.py": ""})
    world.open()
    world.check_out()
    assert world.run().exit_code == 0


class TestAsked:
    """GitHub is asked for the files that a shallow checkout lacks, and shortens its lists, too."""

    def shallow(self, world: World, fake: FakeGitHub, messages: list[str], **pull: Any) -> None:
        world.open()
        world.check_out(depth=1)
        head = pull.pop("head", world.revision())
        fake.changes.pulls[PULL] = Pull(head=head, messages=tuple(messages), **pull)
        fake.files = [(f"src/{number}.py", None) for number in range(len(messages))]

    def test_fixes_ship(self, world: World, fake: FakeGitHub) -> None:
        world.change("fix: x")
        self.shallow(world, fake, ["fix: x", "fix: y"])
        result = world.run(**token(fake))
        assert result.exit_code == 0, result.stdout

    def test_a_feature_among_them_does_not(self, world: World, fake: FakeGitHub) -> None:
        self.shallow(world, fake, fixes_upon_a_feature(world))
        assert world.run(**token(fake)).exit_code == 10

    def test_what_is_behind_the_end_of_a_list_does_not(
        self, world: World, fake: FakeGitHub
    ) -> None:
        world.change("fix: x")
        self.shallow(world, fake, [*["fix: x"] * 250, "feat: rewrite"])
        fake.files = [("src/a.py", None)]
        assert world.run(**token(fake)).exit_code == 10

    def test_more_files_than_github_lists_do_not(self, world: World, fake: FakeGitHub) -> None:
        world.change("fix: x")
        self.shallow(world, fake, ["fix: x"])
        fake.files = [(f"config/{number}", None) for number in range(3000)]
        assert world.run(**token(fake)).exit_code == 10

    def test_another_commit_of_the_pull_request_tells_nothing(
        self, world: World, fake: FakeGitHub
    ) -> None:
        world.change("fix: x")
        self.shallow(world, fake, ["fix: x"], head="e" * 40)
        assert world.run(**token(fake)).exit_code == 10

    @pytest.mark.parametrize("operation", ["pulls/list-files", "pulls/list-commits", "pulls/get"])
    @pytest.mark.parametrize(
        "fault",
        [
            Answer(200, b"<html>Sign in</html>"),
            Answer(200, b"{}"),
            Answer(200, b"null"),
            Answer(200, b'[{"filename": 5}]'),
            Answer(403, b"{}"),
            Answer(404, b"{}"),
        ],
    )
    def test_a_broken_answer_tells_nothing(
        self, world: World, fake: FakeGitHub, operation: str, fault: Answer
    ) -> None:
        world.change("feat: x")
        self.shallow(world, fake, ["feat: x"])
        fake.faults[operation] = [fault] * 9
        assert world.run(**token(fake)).exit_code == 10


RISKY = '  model-update: {paths: ["models/**"], labels: [model], types: [model]}\n'


@pytest.fixture
def labelled(world: World, fake: FakeGitHub) -> World:
    """Return a world whose policy has a risky class by a label or a title, and a fix."""
    policy = world.policy.replace('  model-update: {paths: ["models/**"]}\n', RISKY)
    world.commit("Policy", {"gate.yaml": policy})
    world.push("main")
    world.change("fix: x")
    fake.changes.pulls[PULL] = Pull(head=world.revision())
    return world


class TestStale:
    """An event tells of its own time, and a run may be started again much later."""

    def test_a_fix_ships(self, labelled: World, fake: FakeGitHub) -> None:
        labelled.open()
        labelled.check_out()
        assert labelled.run(**token(fake)).exit_code == 0
        assert labelled.run(GITHUB_RUN_ATTEMPT="2", **token(fake)).exit_code == 0
        assert labelled.run().exit_code == 0

    @pytest.mark.parametrize("attempt", ["1", "2"])
    @pytest.mark.parametrize("pull", [{"labels": ("model",)}, {"title": "model: new"}])
    def test_a_label_or_title_of_now_counts(
        self, labelled: World, fake: FakeGitHub, attempt: str, pull: dict[str, Any]
    ) -> None:
        labelled.open()
        labelled.check_out()
        fake.changes.pulls[PULL] = Pull(head=labelled.revision(), **pull)
        assert labelled.run(GITHUB_RUN_ATTEMPT=attempt, **token(fake)).exit_code == 10

    @pytest.mark.parametrize("attempt", ["2", "17"])
    def test_without_a_token_an_earlier_event_tells_nothing(
        self, labelled: World, attempt: str
    ) -> None:
        labelled.open()
        labelled.check_out()
        result = labelled.run(GITHUB_RUN_ATTEMPT=attempt)
        assert result.exit_code == 10
        assert "belongs to an earlier run" in " ".join(result.stdout.split())

    def test_a_pull_request_that_goes_elsewhere_now_tells_nothing(
        self, labelled: World, fake: FakeGitHub
    ) -> None:
        labelled.push("HEAD:refs/heads/lax")
        labelled.change("fix: y", {"src/b.py": ""})
        labelled.open(base="lax")
        labelled.check_out()
        fake.changes.pulls[PULL] = Pull(head=labelled.revision(), base="main")
        result = labelled.run(GITHUB_BASE_REF="lax", **token(fake))
        assert result.exit_code == 10
        assert "now goes into main" in " ".join(result.stdout.split())

    def test_a_label_of_the_event_that_was_taken_off_is_not_harm(
        self, labelled: World, fake: FakeGitHub
    ) -> None:
        labelled.open(labels=[{"name": "model"}])
        labelled.check_out()
        assert labelled.run().exit_code == 10
        assert labelled.run(**token(fake)).exit_code == 0


EVENTS: dict[str, dict[str, Any]] = {
    "no event": {},
    "a list": {"pull_request": []},
    "no labels": {"pull_request": {"number": 7}},
    "a comment": {"issue": {"number": 7, "pull_request": {}}},
    "a run before it": {"workflow_run": {"head_sha": "a" * 40, "pull_requests": []}},
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_an_event_without_its_pull_request_rules_nothing_out(
    labelled: World, event: dict[str, Any]
) -> None:
    labelled.open()
    labelled.check_out()
    labelled.event = event
    result = labelled.run()
    assert result.exit_code == 10, result.stdout
