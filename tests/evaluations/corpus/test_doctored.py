"""No doctored file of the table is accepted, and none crashes the check.

Each row of the table (`tests.evaluations.corpus.doctoring`) makes an honest run that is accepted
into one that must not be. The table states how the check must end; nothing of it is computed by the
gate.
"""

import json
from pathlib import Path

import pytest

from tests.evaluations.corpus import (
    doctored_deepeval,
    doctored_inspect,
    doctored_junit,
    doctored_places,
    doctored_promptfoo,
    doctored_tables,
)
from tests.evaluations.corpus.doctoring import BLOCKED, DOCTORINGS, UNDECIDED, Doctoring
from tests.evaluations.corpus.scene import Base, Scene

TABLES = (
    doctored_deepeval,
    doctored_inspect,
    doctored_junit,
    doctored_places,
    doctored_promptfoo,
    doctored_tables,
)
BASES = {id(row.base): row.base for row in DOCTORINGS}


@pytest.mark.variants(4)
@pytest.mark.parametrize("base", BASES.values(), ids=lambda base: base.source)
def test_each_run_is_accepted_before_it_is_doctored(base: Base, tmp_path: Path) -> None:
    scene = Scene.begin(tmp_path / "repository", base)
    if base.attested:
        scene.sign()

    result = scene.check()

    assert result.exit_code == 0, result.stdout + result.stderr


@pytest.mark.variants(5)
@pytest.mark.parametrize("row", DOCTORINGS, ids=lambda row: row.name)
def test_no_doctored_file_is_accepted(row: Doctoring, tmp_path: Path) -> None:
    scene = Scene.begin(tmp_path / "repository", row.base)
    row.act(scene)
    if row.attest and row.base.attested:
        scene.sign()

    result = scene.check("--format", "json")

    assert result.exit_code == row.ends, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    (policy,) = json.loads(result.stdout)["policies"]
    (requirement,) = policy["requirements"]
    assert requirement["verdict"] == {UNDECIDED: "undecided", BLOCKED: "block"}[row.ends]
    assert row.says in requirement["reason"]


def test_the_table_has_all_tools_and_enough_rows() -> None:
    assert len(DOCTORINGS) >= 100
    assert {table.__name__.rsplit("_", 1)[1] for table in TABLES} == {
        "deepeval",
        "inspect",
        "junit",
        "places",
        "promptfoo",
        "tables",
    }
