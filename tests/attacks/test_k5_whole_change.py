"""A part of a change that looks safe does not make the rest of it safe."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.attacks.world import World, keeps_its_secrets
from tests.hosts.repository import git

Attempt = Callable[[World], object]
FEATURE = "feat: rewrite the server"


def rewrite(world: World) -> None:
    world.change(FEATURE, {"src/a.py": "a = 2\n"})


def renamed(world: World, source: str, target: str, message: str) -> None:
    world.branch()
    (world.work / target).parent.mkdir(exist_ok=True)
    git(world.work, "mv", source, target)
    world.commit(message)


def evil_merge(world: World) -> None:
    world.change("fix: x", {"src/b.py": "b = 2\n"})
    git(world.work, "checkout", "--quiet", "-b", "other", "main")
    world.commit("fix: y", {"src/c.py": "c = 1\n"})
    git(world.work, "checkout", "--quiet", "change")
    git(world.work, "merge", "--quiet", "--no-commit", "other")
    world.commit("Merge branch 'other'", {"src/a.py": "a = 666\n"})


def octopus(world: World) -> None:
    world.change("fix: x", {"src/b.py": "b = 2\n"})
    for name in ("one", "two"):
        git(world.work, "checkout", "--quiet", "-b", name, "main")
        world.commit(f"fix: {name}", {f"src/{name}.py": ""})
    git(world.work, "checkout", "--quiet", "change")
    git(world.work, "merge", "--quiet", "--no-edit", "one", "two")
    (world.work / "src/a.py").write_text("a = 666\n")
    git(world.work, "commit", "--quiet", "--all", "--amend", "--no-edit")


def unrelated(world: World) -> None:
    git(world.work, "checkout", "--quiet", "--orphan", "other")
    world.commit("fix: another history", {"src/a.py": "a = 666\n"})
    git(world.work, "checkout", "--quiet", "-B", "change", "main")
    options = ("--allow-unrelated-histories", "--strategy=ours")
    git(world.work, "merge", "--quiet", "--no-edit", *options, "other")
    world.commit(FEATURE, {"src/a.py": "a = 2\n"})


def executable(world: World) -> None:
    world.branch()
    (world.work / "src/a.py").chmod(0o755)
    world.commit("Make it run", {"config/x.yaml": ""})


def linked(world: World) -> None:
    world.branch()
    (world.work / "src/a.py").unlink()
    (world.work / "src/a.py").symlink_to("../config/x")
    world.commit("Link", {"config/x": ""})


def submodule(world: World) -> None:
    world.branch()
    world.commit(
        "Tune", {".gitmodules": "[submodule 'm']\n\tpath = m\n\turl = x\n\tignore = all\n"}
    )
    git(world.work, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},m")
    git(world.work, "commit", "--quiet", "--message=Bump")


def add(message: str, files: dict[str, str] | None = None) -> Attempt:
    """Return an attempt that hides a rewrite behind another commit."""

    def attempt(world: World) -> None:
        rewrite(world)
        world.commit(message, files)

    return attempt


def only(message: str, files: dict[str, str] | None = None) -> Attempt:
    """Return an attempt that is one commit."""
    return lambda world: world.change(message, files or {"src/a.py": "a = 2\n"})


HIDDEN: dict[str, Attempt] = {
    "a feature": rewrite,
    "a setting beside it": add("Tune", {"config/x.yaml": ""}),
    "a setting in the same commit": only(FEATURE, {"src/a.py": "a = 2\n", "config/x.yaml": ""}),
    "an empty fix": add("fix: x"),
    "a fix beside it": add("fix: x", {"src/b.py": ""}),
    "a fix of the same file": add("fix: x", {"src/a.py": "a = 3\n"}),
    "a trailer beside it": add("Note\n\nChange-Class: canary"),
    "a trailer on another file": add("Note\n\nChange-Class: canary", {"src/b.py": ""}),
    "a fix that breaks": only("fix!: rewrite"),
    "a fix that breaks its scope": only("fix(server)!: rewrite"),
    "a fix with a footer": only("fix: rewrite\n\nBREAKING CHANGE: all of it"),
    "a fix with a dash in its footer": only("fix: rewrite\n\nBREAKING-CHANGE: all of it"),
    "a breaking canary": only("fix!: rewrite\n\nChange-Class: canary"),
    "a fix in the text": only(f"{FEATURE}\n\nfix: x"),
    "a fix after an odd character": only("\u200bfix: x"),
    "a fix in other letters": only("\uff46\uff49\uff58: x"),
    "a fix that forges another commit": only("feat: x\x1e\x1ffix: y\x1e"),
    "a fixup": only("fixup! fix: x"),
    "a revert": only('Revert "fix: x"'),
    "a trailer inside of the text": only(
        "feat: x\n\nChange-Class: canary\n\nMore text.\nAnd more."
    ),
    "a trailer with another value": only("feat: x\n\nChange-Class: Canary"),
    "a trailer of another name": only("feat: x\n\nXChange-Class: canary"),
    "a file that is called as the folder": only("Tune", {"config": "", "src/a.py": "a = 2\n"}),
    "a folder in other letters": only("Tune", {"Config/x.yaml": ""}),
    "a folder below another": only("Tune", {"src/config/x.yaml": ""}),
    "a folder with a newline": only("Tune", {"x\nconfig/x.yaml": ""}),
    "code moved into settings": lambda w: renamed(w, "src/a.py", "config/a.py", "Move"),
    "settings that code is moved from": lambda w: renamed(w, "src/a.py", "config/a.py", "Tune"),
    "a merge with something of its own": evil_merge,
    "a merge of three": octopus,
    "another history": unrelated,
    "a mode": executable,
    "a link": linked,
    "a submodule that git is to ignore": submodule,
}


@pytest.mark.parametrize("attempt", HIDDEN.values(), ids=HIDDEN)
def test_what_no_class_covers_does_not_ship_behind_what_one_does(
    world: World, attempt: Attempt
) -> None:
    attempt(world)
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 10, result.stdout
    assert "full-rollout" in result.stdout
    assert keeps_its_secrets(result)


PULLS = {
    "a title": {"title": "fix: tidy"},
    "a label": {"labels": [{"name": "security"}]},
    "labels": {"labels": [{"name": "bug"}, {"name": "canary"}, {"name": "security"}]},
    "a body": {"body": "Change-Class: canary"},
}


@pytest.mark.parametrize("pull", PULLS.values(), ids=PULLS)
def test_what_is_reported_about_a_pull_request_makes_it_no_safer(
    world: World, pull: dict[str, Any]
) -> None:
    rewrite(world)
    world.open(**pull)
    world.check_out()
    assert world.run().exit_code == 10


@pytest.mark.parametrize("name", ["fix/x", "canary/1", "release/1", "config", "rollback"])
def test_the_name_of_a_branch_makes_a_change_no_safer(world: World, name: str) -> None:
    branches = 'canary: {trailers: {Change-Class: canary}, branches: ["**"]}'
    world.commit(
        "Policy",
        {"gate.yaml": world.policy.replace("canary: {trailers: {Change-Class: canary}}", branches)},
    )
    world.push("main")
    world.branch(name)
    world.commit(FEATURE, {"src/a.py": "a = 2\n"})
    world.open()
    world.check_out()
    assert world.run().exit_code == 10


def models(world: World) -> None:
    world.commit("Add a model", {"models/a.bin": "1\n", "models/b.bin": "1\n"})
    world.push("main")


def deleted(world: World) -> None:
    world.branch()
    (world.work / "models/a.bin").unlink()
    world.commit("fix: x")


def executable_model(world: World) -> None:
    world.branch()
    (world.work / "models/a.bin").chmod(0o755)
    world.commit("fix: x")


MODELS: dict[str, Attempt] = {
    "a model": only("Update", {"models/a.bin": "2\n"}),
    "a fix of a model": only("fix: x", {"models/a.bin": "2\n"}),
    "a canary of a model": only("x\n\nChange-Class: canary", {"models/a.bin": "2\n"}),
    "a model and settings": only("Tune", {"models/a.bin": "2\n", "config/x.yaml": ""}),
    "a model that is deleted": deleted,
    "a model's mode": executable_model,
    "a model moved away": lambda w: renamed(w, "models/a.bin", "config/a.bin", "fix: x"),
    "a model moved in": lambda w: renamed(w, "src/a.py", "models/a.py", "fix: x"),
    "a model among fixes": add("fix: x", {"models/a.bin": "2\n"}),
}


@pytest.mark.parametrize("attempt", MODELS.values(), ids=MODELS)
def test_a_model_ships_behind_nothing(world: World, attempt: Attempt) -> None:
    models(world)
    attempt(world)
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 10, result.stdout
    assert "model-update" in result.stdout


def without_a_setting(world: World) -> None:
    world.branch()
    (world.work / "config/old").unlink()
    world.commit("Tidy")


SHIPPING: dict[str, tuple[Attempt, str]] = {
    "a fix": (only("fix: x"), "bug-fix"),
    "a fix with a scope": (only("fix(api): x"), "bug-fix"),
    "a fix in capitals": (only("Fix: x"), "bug-fix"),
    "several fixes": (lambda w: [only("fix: x")(w), w.commit("fix: y", {"b": ""})], "bug-fix"),
    "a fix and an empty commit": (lambda w: [only("fix: x")(w), w.commit("Try again")], "bug-fix"),
    "a setting": (only("Tune", {"config/x.yaml": ""}), "config-change"),
    "a setting as a feature": (only("feat: x", {"config/x.yaml": ""}), "config-change"),
    "a canary": (only("feat: x\n\nChange-Class: canary"), "canary"),
    "a fix and a setting": (
        lambda w: [only("fix: x")(w), w.commit("Tune", {"config/x": ""})],
        "config-change",
    ),
    "a setting that is deleted": (
        without_a_setting,
        "config-change",
    ),
}


@pytest.mark.parametrize(("change", "name"), SHIPPING.values(), ids=SHIPPING)
def test_a_change_of_one_kind_ships(world: World, change: Attempt, name: str) -> None:
    world.commit("Configure", {"config/old": ""})
    world.push("main")
    change(world)
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 0, result.stdout
    assert name in result.stdout


def test_a_branch_that_was_brought_up_to_date_is_still_a_fix(world: World) -> None:
    world.change("fix: x", {"src/a.py": "a = 2\n"})
    git(world.work, "checkout", "--quiet", "main")
    world.commit("feat: y", {"src/b.py": "", "models/a.bin": ""})
    world.push("main")
    git(world.work, "checkout", "--quiet", "change")
    git(world.work, "merge", "--quiet", "--no-edit", "main")
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 0, result.stdout


def test_the_report_says_what_was_compared_and_what_no_class_covers(world: World) -> None:
    rewrite(world)
    world.commit("Tune", {"config/x.yaml": ""})
    world.open()
    world.check_out()
    shown = world.run().stdout
    assert "src/a.py matches no class" in shown
    assert "(the event): 2 files, 2 commits" in shown


STRICT = """\
freezes:
  - {from: 2020-01-01, to: 2099-01-01, reason: year end, allow: [hot-fix]}
"""


def test_the_strictest_of_the_classes_counts_under_every_rule(world: World) -> None:
    """A class that fewer tiers allow may be let through by another rule; the other class is not."""
    classes = "changes:\n  hot-fix: {description: of the night, paths: ['hot/**']}\n"
    policy = world.policy.replace("changes:\n", classes) + STRICT
    policy = policy.replace("allow: [canary, ", "allow: [hot-fix, canary, ")
    policy = policy.replace("allow: [security-patch, ", "allow: [config-change, security-patch, ")
    world.commit("Policy", {"gate.yaml": policy})
    world.push("main")
    world.change("Tune", {"config/x.yaml": "", "hot/a": ""})
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 10, result.stdout
    assert "BLOCK  config-change" in result.stdout
    assert "also hot-fix by paths" in result.stdout
