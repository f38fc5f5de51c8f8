"""docs/truth.md: its rows and sentences are those of the benchmark."""

from pathlib import Path

import pytest

from benchmarks.truth.cases import ROWS
from benchmarks.truth.mutations import MUTATIONS, Kind

TEXT = (Path(__file__).parent.parent / "docs" / "truth.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_every_life_and_every_mutation_has_its_result(row: str) -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith((f"| {row} |", f"| *{row}* |"))]

    assert lines


def test_every_mutation_says_where_it_happens() -> None:
    for mutation in MUTATIONS:
        assert f"* **{mutation.name}** ({mutation.kind}): {mutation.where}\n" in TEXT


def test_nothing_but_what_leaves_no_trace_was_allowed_wrongly() -> None:
    traceless = {mutation.name for mutation in MUTATIONS if mutation.kind is Kind.TRACELESS}
    wrongly = {
        cells[1].strip("* "): int(cells[8])
        for cells in (line.split("|") for line in TEXT.splitlines() if line.startswith("| "))
        if cells[1].strip("* ") in ROWS
    }

    assert set(wrongly) == set(ROWS)
    assert {name for name, number in wrongly.items() if number} <= traceless
