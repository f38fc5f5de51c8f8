"""The files and commits of a change according to git, on real repositories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gate.hosts.git import Checkout, GitError
from gate.hosts.span import brings_only, span_since_parting, span_to_ship
from tests.hosts.repository import begin, commit, git

POLICY = "version: 1\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with files on main, and a branch ``change`` that parted from it."""
    folder = begin(tmp_path / "origin")
    commit(folder, "begin", {"gate.yaml": POLICY, "models/a.bin": "1\n", "src/x.py": "x\n" * 30})
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def changed(folder: Path, base: str = "main") -> Sequence[str]:
    paths = span_since_parting(Checkout(folder), base, "HEAD").paths
    assert paths is not None
    return sorted(paths)


def commits(folder: Path, base: str = "main") -> list[tuple[str, Sequence[str] | None]]:
    made = span_since_parting(Checkout(folder), base, "HEAD").commits
    assert made is not None
    return [(each.subject, each.paths) for each in made]


def elsewhere(folder: Path, message: str, files: dict[str, str]) -> None:
    """Commit something on main."""
    git(folder, "checkout", "--quiet", "main")
    commit(folder, message, files)
    git(folder, "checkout", "--quiet", "change")


def test_the_change_is_what_differs_since_the_branches_parted(repository: Path) -> None:
    commit(repository, "one", {"prompts/a b.md": "", "prompts/ü\t.md": ""})
    elsewhere(repository, "elsewhere", {"docs/not-ours.md": ""})
    assert changed(repository) == ["prompts/a b.md", "prompts/ü\t.md"]


def test_a_moved_or_deleted_file_counts_where_it_was(repository: Path) -> None:
    git(repository, "mv", "models/a.bin", "a.bin")
    git(repository, "rm", "--quiet", "src/x.py")
    commit(repository, "move", {})
    assert changed(repository) == ["a.bin", "models/a.bin", "src/x.py"]
    assert commits(repository) == [("move", ["a.bin", "models/a.bin", "src/x.py"])]


def test_modes_links_and_submodules_count(repository: Path) -> None:
    (repository / "src/x.py").chmod(0o755)
    (repository / "models/a.bin").unlink()
    (repository / "models/a.bin").symlink_to("elsewhere")
    module = "[submodule 'sub']\n\tpath = sub\n\turl = x\n\tignore = all\n"
    commit(repository, "one", {".gitmodules": module})
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},sub")
    git(repository, "commit", "--quiet", "--message=two")
    assert changed(repository) == [".gitmodules", "models/a.bin", "src/x.py", "sub"]
    git(repository, "update-index", "--cacheinfo", f"160000,{'b' * 40},sub")
    git(repository, "commit", "--quiet", "--message=bump")
    assert changed(repository, "HEAD~1") == ["sub"]
    assert commits(repository, "HEAD~1") == [("bump", ["sub"])]


def test_messages_are_read_with_their_trailers(repository: Path) -> None:
    commit(repository, "fix(api): stop\n\nChange-Class: canary\nNote: a: b", {"a": ""})
    commit(repository, "feat!: more\n\nNo trailer: this is prose.\n\nIt goes on.", {"b": ""})
    second, first = span_since_parting(Checkout(repository), "main", "HEAD").commits or ()
    assert (second.subject, first.subject) == ("feat!: more", "fix(api): stop")
    assert (second.breaking, first.breaking) == (True, False)
    assert first.trailers == (("Change-Class", "canary"), ("Note", "a: b"))
    assert second.trailers == ()


def test_a_message_cannot_pretend_to_be_another_commit(repository: Path) -> None:
    odd = "feat: x\x1e\x1ffix: y\x1e\n\n//" + "a" * 40 + "\n\x1f"
    commit(repository, odd, {"src/x.py": "2"})
    assert [subject for subject, _ in commits(repository)] == ["feat: x\x1e\x1ffix: y\x1e"]


def test_a_files_name_cannot_pretend_to_be_a_commit(repository: Path) -> None:
    first = commit(repository, "fix: x", {"b": ""})
    names = {first: "", f"x{first}/y": "", f"\n{first}": "", f"a\n/{first}": ""}
    commit(repository, "feat: y", {**names, "src/x.py": ""})
    second, (subject, paths) = commits(repository)
    assert (subject, paths) == ("fix: x", ["b"])
    assert sorted(second[1] or ()) == sorted([*names, "src/x.py"])


def test_a_merge_of_the_target_branch_changes_nothing_itself(repository: Path) -> None:
    lines = ["x\n"] * 30
    commit(repository, "fix: ours", {"src/x.py": "".join(["y\n", *lines[1:]])})
    elsewhere(repository, "feat: theirs", {"src/x.py": "".join([*lines[:-1], "z\n"]), "b": ""})
    git(repository, "merge", "--quiet", "--no-edit", "main")
    assert changed(repository) == ["src/x.py"]
    assert commits(repository) == [
        ("Merge branch 'main' into change", []),
        ("fix: ours", ["src/x.py"]),
    ]


def test_what_a_merge_adds_of_its_own_counts(repository: Path) -> None:
    commit(repository, "fix: ours", {"a": ""})
    elsewhere(repository, "theirs", {"b": "1\n"})
    git(repository, "merge", "--quiet", "--no-commit", "main")
    commit(repository, "Merge branch 'main'", {"models/a.bin": "evil\n"})
    assert commits(repository)[0] == ("Merge branch 'main'", ["models/a.bin"])
    elsewhere(repository, "more", {"b": "2\n"})
    git(repository, "merge", "--quiet", "--no-edit", "--strategy=ours", "main")
    assert commits(repository)[0] == ("Merge branch 'main' into change", ["b"])
    assert changed(repository) == ["a", "b", "models/a.bin"]


def test_an_older_git_tells_of_a_merge_what_differs_from_both_sides(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Checkout.plumbing

    def older(checkout: Checkout, *arguments: str) -> bytes:
        if "--remerge-diff" in arguments:
            raise GitError("unrecognized argument: --remerge-diff")
        return newer(checkout, *arguments)

    monkeypatch.setattr(Checkout, "plumbing", older)
    commit(repository, "fix: ours", {"a": "", "\nb": ""})
    elsewhere(repository, "theirs", {"b": "1\n"})
    git(repository, "merge", "--quiet", "--no-commit", "main")
    commit(repository, "Merge branch 'main'", {"models/a.bin": "evil\n"})
    merge, ours = commits(repository)
    assert merge == ("Merge branch 'main'", ["models/a.bin"])
    assert ours == ("fix: ours", ["\nb", "a"])


def test_of_a_merge_of_three_nothing_is_known(repository: Path) -> None:
    for name in ("y", "z"):
        git(repository, "checkout", "--quiet", "-b", name, "main")
        commit(repository, f"fix: {name}", {name: ""})
    git(repository, "checkout", "--quiet", "change")
    commit(repository, "fix: x", {"x": ""})
    git(repository, "merge", "--quiet", "--no-edit", "y", "z")
    assert commits(repository)[0] == ("Merge branches 'y' and 'z' into change", None)


def test_a_deploy_changes_what_differs_from_what_is_live(repository: Path) -> None:
    live = git(repository, "rev-parse", "HEAD")
    commit(repository, "feat: x", {"models/a.bin": "2\n"})
    head = commit(repository, "fix: y", {"b": ""})
    ahead = span_to_ship(Checkout(repository), live, head)
    assert ahead.paths == ("b", "models/a.bin")
    assert [each.subject for each in ahead.commits or ()] == ["fix: y", "feat: x"]
    same = span_to_ship(Checkout(repository), head, head)
    assert (same.paths, same.commits) == ((), ())


def test_what_a_deploy_takes_back_is_of_no_commit(repository: Path) -> None:
    old = git(repository, "rev-parse", "HEAD")
    live = commit(repository, "feat: x", {"models/a.bin": "2\n"})
    back = span_to_ship(Checkout(repository), live, old)
    assert back.paths == ("models/a.bin",)
    assert [(each.subject, each.paths) for each in back.commits or ()] == [
        (f"reverts {live}", ("models/a.bin",))
    ]
    git(repository, "checkout", "--quiet", "-b", "other", old)
    head = commit(repository, "fix: y", {"models/a.bin": "3\n"})
    apart = span_to_ship(Checkout(repository), live, head)
    assert [each.subject for each in apart.commits or ()] == ["fix: y", f"reverts {live}"]


def shallow(folder: Path, target: Path, depth: int) -> Path:
    git(folder, "clone", "--quiet", f"--depth={depth}", folder.as_uri(), str(target))
    return target


@pytest.mark.variants(3)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_shallow_history_tells_nothing_wherever_it_is_cut(
    repository: Path, tmp_path: Path, depth: int
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    for number in range(3):
        commit(repository, f"fix: {number}", {f"src/{number}": ""})
    clone = shallow(repository, tmp_path / "clone", depth)
    git(clone, "fetch", "--quiet", "--depth=1", "origin", base)
    for span in (span_since_parting, span_to_ship):
        with pytest.raises(GitError, match="whole history"):
            span(Checkout(clone), base, "HEAD")


def test_a_grafted_history_is_read_as_it_is(repository: Path) -> None:
    """The graft leaves out the commit of the model, and so its file."""
    base = git(repository, "rev-parse", "HEAD")
    model = commit(repository, "feat: x", {"models/a.bin": "2"})
    head = commit(repository, "fix: x", {"src/x.py": "2"})
    graft(repository, f"{head} {base}", f"{base} {model}")
    for folder in (repository, repository / "src"):
        for span in (span_since_parting, span_to_ship):
            made = span(Checkout(folder), base, head)
            assert made.paths == ("models/a.bin", "src/x.py")
            assert [each.subject for each in made.commits or ()] == ["fix: x", "feat: x"]


def test_a_history_of_which_a_graft_hides_that_a_part_is_missing_tells_nothing(
    repository: Path,
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    model = commit(repository, "feat: x", {"models/a.bin": "2"})
    head = commit(repository, "fix: x", {"src/x.py": "2"})
    graft(repository, f"{head} {base}")
    (repository / ".git/objects" / model[:2] / model[2:]).unlink()
    assert git(repository, "log", "--format=%s", f"{base}..{head}") == "fix: x"
    for span in (span_since_parting, span_to_ship):
        with pytest.raises(GitError):
            span(Checkout(repository), base, head)


def graft(folder: Path, *lines: str) -> None:
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/grafts").write_text("\n".join(lines) + "\n")


def test_a_replaced_commit_is_read_as_it_is(repository: Path) -> None:
    bad = commit(repository, "feat: x", {"models/a.bin": "2"})
    git(repository, "checkout", "--quiet", "-b", "good", "main")
    good = commit(repository, "fix: x", {"src/x.py": "2"})
    git(repository, "replace", bad, good)
    span = span_since_parting(Checkout(repository), "main", bad)
    assert span.paths == ("models/a.bin",)
    assert [each.subject for each in span.commits or ()] == ["feat: x"]


def test_histories_without_a_common_commit_tell_nothing(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    commit(repository, "fix: all", {"models/a.bin": "2"})
    for span in (span_since_parting, span_to_ship):
        with pytest.raises(GitError, match="have no common history"):
            span(Checkout(repository), "main", "HEAD")


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "setting", ["diff.relative=true", "diff.renames=copies", "log.follow=true"]
)
def test_settings_of_the_repository_hide_no_file(repository: Path, setting: str) -> None:
    git(repository, "config", *setting.split("="))
    git(repository, "mv", "models/a.bin", "src/a.bin")
    commit(repository, "move", {})
    folder: Any = repository / "src"
    assert changed(folder) == ["models/a.bin", "src/a.bin"]
    assert commits(folder)[0][1] == ["models/a.bin", "src/a.bin"]


class TestBringsOnly:
    """Whether a merge on the default branch is no more than the pull request that it is taken for.

    Of a clean one that merges changes of both sides to one file, too.
    """

    def sides(self, repository: Path) -> str:
        lines = [f"line {number}\n" for number in range(20)]
        commit(repository, "begin", {"src/a.py": "".join(lines)})
        git(repository, "checkout", "--quiet", "-b", "side")
        head = commit(repository, "fix: x", {"src/a.py": "".join([*lines[:-1], "last\n"])})
        git(repository, "checkout", "--quiet", "-")
        commit(repository, "fix: y", {"src/a.py": "".join(["first\n", *lines[1:]])})
        return head

    def merge(self, repository: Path, *heads: str) -> str:
        git(repository, "merge", "--quiet", "--no-ff", "--no-edit", *heads)
        return git(repository, "rev-parse", "HEAD")

    def test_a_merge_of_the_head_and_a_plain_commit_do(self, repository: Path) -> None:
        head = self.sides(repository)
        plain = git(repository, "rev-parse", "HEAD")
        assert brings_only(Checkout(repository), plain, head)
        assert brings_only(Checkout(repository), self.merge(repository, head), head)

    def test_a_merge_of_another_commit_does_not(self, repository: Path) -> None:
        head = self.sides(repository)
        merge = self.merge(repository, head)
        assert not brings_only(
            Checkout(repository), merge, git(repository, "rev-parse", f"{head}^")
        )

    def test_a_merge_with_a_change_of_its_own_does_not(self, repository: Path) -> None:
        head = self.sides(repository)
        self.merge(repository, head)
        (repository / "src/b.py").write_text("")
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--amend", "--no-edit")
        assert not brings_only(Checkout(repository), git(repository, "rev-parse", "HEAD"), head)

    def test_a_merge_of_two_heads_does_not(self, repository: Path) -> None:
        head = self.sides(repository)
        git(repository, "checkout", "--quiet", "-b", "other", "HEAD~1")
        other = commit(repository, "feat: z", {"src/z.py": ""})
        git(repository, "checkout", "--quiet", "-")
        assert not brings_only(Checkout(repository), self.merge(repository, head, other), head)
