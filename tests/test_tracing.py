"""The list of what runs without tracing names tests that there are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tracing import UNTRACED


@pytest.mark.parametrize(("module", "tests"), UNTRACED.items())
def test_what_is_listed_is_there(module: str, tests: Sequence[str]) -> None:
    text = (Path(__file__).parent / module).read_text(encoding="utf-8")

    assert [test for test in tests if f"def {test}(" not in text] == []
