"""A merge can ship another change than the one that the branch shows."""

from typing import Any

import pytest

from tests.attacks.world import World
from tests.hosts.repository import git

LINES = "".join(f"line {number}\n" for number in range(40))


def test_a_model_that_a_merge_takes_back_does_not_hide_behind_a_second_parting(
    world: World,
) -> None:
    """Each branch was merged into the other, and one parting has the old model."""
    world.commit("Model", {"models/a.bin": "1"})
    world.push("main")
    world.branch()
    first = world.commit("fix: x", {"src/g.py": "1"})
    git(world.work, "checkout", "--quiet", "main")
    second = world.commit("Update", {"models/a.bin": "2"})
    git(world.work, "merge", "--quiet", "--no-ff", "--no-edit", "change")
    world.push("main")
    git(world.work, "checkout", "--quiet", "change")
    git(world.work, "merge", "--quiet", "--no-ff", "--no-commit", second)
    git(world.work, "checkout", first, "--", "models/a.bin")
    git(world.work, "commit", "--quiet", "--message=fix: merge main")
    world.open()
    checkout = world.check_out()
    assert git(checkout, "diff", "--name-only", "HEAD^1", "HEAD").split() == ["models/a.bin"]
    result = world.run()
    assert result.exit_code == 10
    assert "model-update" in result.stdout


def moved(world: World, old: str, new: str) -> None:
    """Begin a branch on main before a file of it was moved there."""
    world.commit("begin", {old: LINES, "docs/old.md": "x"})
    world.push("main")
    parted = world.revision()
    (world.work / new).parent.mkdir(exist_ok=True)
    git(world.work, "mv", old, new)
    git(world.work, "rm", "--quiet", "docs/old.md")
    world.commit("move", {})
    world.push("main")
    world.branch("change", parted)


@pytest.mark.parametrize("system", ["github", "github, stale", "gitlab", "gitlab, merged"])
def test_a_file_counts_where_the_base_has_moved_it(world: World, system: str) -> None:
    """Whoever begins at an old commit does not change a model under the name of a setting."""
    moved(world, "config/a.yaml", "models/a.yaml")
    world.commit("Tune", {"config/a.yaml": f"{LINES}more\n"})
    world.open()
    checkout = world.check_out()
    assert git(checkout, "diff", "--name-only", "HEAD^1", "HEAD").split() == ["models/a.yaml"]
    event = world.event["pull_request"]["base"]
    event["sha"] = world.revision("HEAD~1") if system == "github, stale" else event["sha"]
    more: dict[str, Any] = {
        "GITHUB_ACTIONS": None,
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": world.on_host("main") if "," in system else "",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": world.revision(),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": world.revision("HEAD~1"),
        "CI_COMMIT_SHA": world.more["GITHUB_SHA"],
    }
    result = world.run(**(more if system.startswith("gitlab") else {}))
    assert result.exit_code == 10
    assert "model-update" in result.stdout


def test_a_fix_of_a_file_that_the_base_has_moved_is_a_fix(world: World) -> None:
    moved(world, "src/b.py", "src/c.py")
    world.commit("fix: b", {"src/b.py": f"{LINES}more\n"})
    world.open()
    world.check_out()
    assert world.run().exit_code == 0


def test_a_file_that_the_base_has_deleted_counts_where_it_was(world: World) -> None:
    moved(world, "src/b.py", "src/c.py")
    world.commit("Update", {"docs/old.md": "y"})
    world.open()
    world.check_out()
    assert world.run().exit_code == 10
