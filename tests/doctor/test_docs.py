"""docs/doctor.md is what the command does."""

import json
import re
from pathlib import Path
from typing import Any

from gate.measure.diagnosis import QUESTIONS, Check
from tests.doctor.asking import examine, write_policy

TEXT = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")


def shape(value: Any) -> Any:
    """Return the keys of blocks, and of a list's first entry."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_table_of_checks_is_whole() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", TEXT, re.MULTILINE)

    assert dict(rows) == {str(check): QUESTIONS[check] for check in Check}


def test_the_document_has_the_shape_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 1000, bad: 1}}\n")
    slo = {"name": "availability", "objective": "99.9%", "window": "30d"}
    path = write_policy(tmp_path, {"type": "static", "path": "counts.yaml"}, [slo])
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    shown, real = json.loads(block), examine(path).report

    assert shown.keys() == real.keys()
    (one,), (other,) = shown["policies"], real["policies"]
    assert one.keys() == other.keys()
    assert one["source"].keys() == other["source"].keys()
    assert one["backend"].keys() == other["backend"].keys()
    assert one["backends"][0].keys() == other["backends"][0].keys()
    assert shape(one["slos"]) == shape(other["slos"])
