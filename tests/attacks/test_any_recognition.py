"""Whatever a change consists of, it is judged by the riskiest class that any part of it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.world import World, keeps_its_secrets
from tests.hosts.repository import git

ALLOWED: Final = ("canary", "config-change", "bug-fix", "security-patch", "rollback")
"""By the tier that holds, in the policy of main."""
FOLDERS: Final = {"models": "model-update", "config": "config-change"}
"""The folders by which the policy recognises a class."""
HEADS: Final = {
    "fix: typo": "bug-fix",
    "fix(api): typo": "bug-fix",
    "feat: rewrite": None,
    "fixes a typo": None,
    "chore: x\n\nChange-Class: canary": "canary",
    "chore: x\n\nChange-Class: rollback": None,
    "wip\n\nfix: typo": None,
}
"""Messages of commits, and what the policy recognises each by; None: by nothing."""
MOSTLY_FIXES: Final = (*sorted(HEADS), *["fix: typo"] * len(HEADS))
PATHS: Final = (
    "models/weights",
    "models/deep/er/weights",
    "config/x.yaml",
    "config-old/x.yaml",
    "src/a.py",
    "src/models/a.py",
    "README",
)
Writes = Mapping[str, str | None]
"""The contents that a commit writes, by path; None: it deletes the file, if there is one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request of several commits, beside what main has gone on to."""

    commits: tuple[tuple[str, Writes], ...]
    on_main: Writes
    """The files that others merged in the meantime."""
    label: bool
    """Whether the author has set the label of a security patch."""
    depth: int


def writes(at_least: int) -> st.SearchStrategy[Writes]:
    texts = st.sampled_from(["1\n", "2\n", "3\n", None])
    return st.dictionaries(st.sampled_from(PATHS), texts, min_size=at_least, max_size=3)


changes = st.builds(
    Change,
    commits=st.lists(
        st.tuples(st.sampled_from(MOSTLY_FIXES), writes(1)), min_size=1, max_size=3
    ).map(tuple),
    on_main=writes(0),
    label=st.booleans(),
    depth=st.sampled_from([0, 0, 0, 1, 2]),
)


@settings(max_examples=20)
@given(change=changes)
def test_the_riskiest_class_of_any_file_or_commit_counts(change: Change) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        touched = played(world, change)
        result = world.run()
        assert keeps_its_secrets(result)
        assert result.exit_code in {0, 10}, result.stderr
        ships = result.exit_code == 0
        if change.depth == 0 and set().union(*touched.values()) <= set(ALLOWED):
            assert ships, result.stdout
        if ships:
            assert merged(world, touched) <= set(ALLOWED), result.stdout


def played(world: World, change: Change) -> dict[str, set[str]]:
    """Make the pull request; return by path the classes that each commit gives what it touches.

    A commit that touches nothing stands under an empty path.
    """
    world.branch()
    touched: dict[str, set[str]] = {}
    for message, files in change.commits:
        write(world, files)
        before = world.revision()
        world.commit(message)
        paths = git(world.work, "diff", "--name-only", "--no-renames", before, "HEAD").splitlines()
        kind = HEADS[message]
        for path in paths or [""]:
            of_path = FOLDERS.get(path.partition("/")[0])
            kinds = {of_path or kind or "full-rollout"} | ({kind} if kind else set())
            touched.setdefault(path, set()).update(kinds)
    git(world.work, "checkout", "--quiet", "main")
    write(world, change.on_main)
    world.commit("feat: of others")
    world.push("main")
    git(world.work, "checkout", "--quiet", "change")
    labels = [{"name": "security"}] if change.label else []
    world.open(labels=labels)
    world.check_out(depth=change.depth)
    return touched


def write(world: World, files: Writes) -> None:
    for path, text in files.items():
        file = world.work / path
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def merged(world: World, touched: Mapping[str, set[str]]) -> set[str]:
    """The classes of those paths that differ from where the branch began: what is merged."""
    base = git(world.work, "merge-base", "main", "change")
    paths = git(world.work, "diff", "--name-only", "--no-renames", base, "change").splitlines()
    return {kind for path in paths for kind in touched[path]}
