"""Globs, against what each of them means in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.changes import matches_glob

PATHS = st.lists(st.text("ab.[^$", min_size=1, max_size=3), min_size=1, max_size=4)


@pytest.mark.parametrize(
    "glob, path, expected",
    [
        ("models/**", "models/a/b.bin", True),
        ("models/**", "models", True),
        ("models/**", "models2/a", False),
        ("models/**", "src/models/a", False),
        ("**/prompt.md", "prompt.md", True),
        ("**/prompt.md", "a/b/prompt.md", True),
        ("**/prompt.md", "a/my-prompt.md", False),
        ("*.md", "a.md", True),
        ("*.md", "a/b.md", False),
        ("**.md", "a/b.md", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/xb", False),
        ("v?", "v1", True),
        ("v?", "v/", False),
        ("v[1]", "v[1]", True),
        ("v[1]", "v1", False),
        ("**", "any/thing", True),
    ],
)
def test_a_glob_matches_a_path_as_a_whole(glob: str, path: str, expected: bool) -> None:
    assert matches_glob(glob, path) is expected


@given(PATHS)
def test_a_path_without_wildcards_matches_itself_and_nothing_longer(parts: list[str]) -> None:
    path = "/".join(parts)
    assert matches_glob(path, path)
    assert not matches_glob(path, f"{path}x")
    assert matches_glob("**", path)


@given(PATHS)
def test_a_star_is_one_folder_and_two_are_any_number(parts: list[str]) -> None:
    path = "/".join(parts)
    assert matches_glob("*", path) == (len(parts) == 1)
    assert matches_glob("/".join("*" * len(parts)), path)
    assert matches_glob(f"{parts[0]}/**", path)
    assert matches_glob(f"**/{parts[-1]}", path)
