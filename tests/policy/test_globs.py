"""Globs match as they are described, and no glob and no path makes that take long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy import globs
from gate.policy.changes import matches_glob

GLOBS = st.text("a/b*?.", max_size=12) | st.lists(
    st.sampled_from(["**/", "/**", "**", "*", "?", "a", "b", "/", "\n"]), max_size=10
).map("".join)


@given(GLOBS, st.text("ab/.\n", max_size=14))
def test_both_ways_to_match_say_the_same(glob: str, path: str) -> None:
    by_expression = globs._compiled(glob).expression.fullmatch(path) is not None
    assert globs._automaton(glob).accepts(path) is by_expression


LONG = "a" * 3000


@pytest.mark.variants(5)
@pytest.mark.parametrize(
    ("glob", "path", "matching"),
    [
        ("**/models/**/*/*.bin", f"x/models/{LONG}/y/z.bin", True),
        ("**/models/**/*/*.bin", f"x/models/{LONG}/z.bin", True),
        ("**/models/**/*/*.bin", "x/models/z.bin" + LONG, False),
        ("*a*b*c*d", LONG, False),
        ("*a*b*c*d", f"{LONG}b{LONG}c{LONG}d", True),
        ("*a*b*c*d", f"{LONG}b{LONG}c/{LONG}d", False),
        ("**a**b**c**d", f"{LONG}b{LONG}c/{LONG}d", True),
        ("a/*/**/b?/**", f"a/{LONG}/{LONG}/bc", True),
        ("a/*/**/b?/**", f"a/{LONG}/bc/{LONG}", True),
        ("a/*/**/b?/**", f"a/{LONG}/b//{LONG}", False),
        ("*a" * 2000, LONG, True),
        ("**a" * 2000 + "b", LONG, False),
        ("**/" * 1000 + "b", "a/" * 1500, False),
        ("*" * 4000, LONG, True),
        ("a*a*a*a*a", "a/" * 2000, False),
    ],
)
def test_long_paths_and_globs_are_matched_quickly(glob: str, path: str, matching: bool) -> None:
    start = time.monotonic()
    assert matches_glob(glob, path) is matching
    assert time.monotonic() - start < 5
