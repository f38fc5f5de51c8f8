"""The list of what runs without tracing names tests that there are."""

from pathlib import Path

import pytest

from tests.tracing import UNTRACED


@pytest.mark.parametrize("name", UNTRACED)
def test_what_is_listed_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    file = Path(__file__).parent / path

    assert file.exists()
    assert not test or f"def {test}(" in file.read_text(encoding="utf-8")
