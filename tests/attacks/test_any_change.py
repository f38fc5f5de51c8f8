"""Whatever a pull request contains, it is judged by the policy of the branch that it goes into."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.world import World, keeps_its_secrets
from tests.hosts.repository import git

CLASSES: Final = ("canary", "config-change", "bug-fix", "model-update", "full-rollout", "rollback")
LOOSE: Final = "the policy of the change"
"""Stands for a policy that lets everything ship."""
TEXTS: Final = {
    "gate.yaml": (LOOSE, "", "version: 1\n", "- not\n- a policy\n", "\0", "a: &a [*a]\n"),
    "gate/gate.yaml": (LOOSE,),
    "slos/a.yaml": ("slos: []\n",),
    "counts.yaml": ("counts: {availability: {total: 1000000, bad: 0}}\n",),
    "src/a.py": ("a = 2\n", "a = 3\n"),
    "config/x.yaml": ("x: 1\n",),
    "models/weights": ("1\n",),
    ".gitattributes": ("* text eol=crlf\n", "gate.yaml filter=evil diff=evil\n", "* -text\n"),
    ".gitmodules": ('[submodule "gate"]\n\tpath = gate\n\turl = ./\n',),
    ".mailmap": ("Grace <grace@acme.example> Ada <ada@acme.example>\n",),
}
"""The files that the change may write, by path."""
MESSAGES: Final = (
    "feat: rewrite",
    "fix: typo",
    "fix!: typo",
    "wip",
    "chore: x\n\nChange-Class: canary",
    "x\n\nGate-Override: yes\nApproved-by: grace",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the change."""

    message: str
    files: Mapping[str, str]
    link: str | None
    """A path that becomes a link to another folder; None: none does."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A repository, a pull request, and the event that tells of it."""

    allowed: tuple[str, ...]
    """By the tier that holds, in the policy of main."""
    change: str
    """The class that the pipeline states."""
    commits: tuple[Commit, ...]
    from_old: bool
    """Whether the branch leaves main where its policy was still lax."""
    branch: str
    depth: int
    pull: Mapping[str, Any]
    """Fields of the event that the author chooses."""


files = st.dictionaries(
    st.sampled_from(sorted(TEXTS)), st.integers(0, 5), min_size=1, max_size=4
).map(lambda chosen: {path: TEXTS[path][n % len(TEXTS[path])] for path, n in chosen.items()})
commits = st.builds(
    Commit,
    message=st.sampled_from(MESSAGES),
    files=files,
    link=st.sampled_from([None, None, "gate.yaml", "config", "slos"]),
)
attempts = st.builds(
    Attempt,
    allowed=st.lists(st.sampled_from(CLASSES), unique=True).map(tuple),
    change=st.sampled_from(CLASSES),
    commits=st.lists(commits, min_size=1, max_size=3).map(tuple),
    from_old=st.booleans(),
    branch=st.sampled_from(
        ["change", "refs/heads/main", "origin/main", "a" * 40, "refs/HEAD", "x/gate"]
    ),
    depth=st.sampled_from([0, 1, 2]),
    pull=st.fixed_dictionaries(
        {},
        optional={
            "title": st.sampled_from(["fix: typo", "", "::set-output name=verdict::allow", "\0"]),
            "labels": st.sampled_from([[], [{"name": "security"}], [{"name": "gate-override"}]]),
            "body": st.text(max_size=20),
            "draft": st.booleans(),
        },
    ),
)


@settings(max_examples=20)
@given(attempt=attempts)
def test_a_stated_class_is_judged_by_the_policy_of_the_base(attempt: Attempt) -> None:
    with TemporaryDirectory() as folder:
        world = prepared(Path(folder), attempt)
        result = world.run("--change", attempt.change)
        assert result.exit_code == (0 if attempt.change in attempt.allowed else 10), result.stderr
        assert keeps_its_secrets(result)


def prepared(folder: Path, attempt: Attempt) -> World:
    """Play an attempt up to the checkout of the run."""
    world = World(folder)
    strict = world.policy.replace(
        "allow: [canary, config-change, bug-fix, security-patch, rollback]",
        f"allow: [{', '.join(attempt.allowed)}]",
    )
    world.commit("lax for now", {"gate.yaml": world.loose})
    git(world.work, "branch", "old")
    world.commit("strict again", {"gate.yaml": strict})
    world.push("main")
    git(
        world.work,
        "checkout",
        "--quiet",
        "-b",
        attempt.branch,
        "old" if attempt.from_old else "main",
    )
    for commit in attempt.commits:
        write(world, commit)
    world.open(**attempt.pull)
    world.check_out(depth=attempt.depth)
    return world


def write(world: World, commit: Commit) -> None:
    """Make one commit of the change."""
    for path, text in commit.files.items():
        file = world.work / path
        for name in (file.parent, file):
            if name.is_symlink():  # of an earlier commit
                name.unlink()
        if file.is_dir():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(world.loose if text == LOOSE else text)
    if commit.link is not None:
        git(world.work, "rm", "-r", "-q", "--cached", "--ignore-unmatch", commit.link)
        link = world.work / commit.link
        if link.is_dir() and not link.is_symlink():
            link.rename(world.work / f"{commit.link}-evil")
        link.unlink(missing_ok=True)
        link.symlink_to(f"{commit.link}-evil")
    world.commit(commit.message)
