"""docs/shadow.md: its words are the program's, and its table is that of the benchmark."""

import re
from pathlib import Path

import pytest

from benchmarks.shadows import WORLDS, World, outcomes
from gate.config.requirement_schema import SHADOW
from gate.history.shadow import ShadowOutcome
from tests.check.shadows import hour, judge, required, write_minutes

TEXT = (Path(__file__).parent.parent / "docs" / "shadow.md").read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
ROW = re.compile(r"^\| (.+) \| ([\d.]+)% \| ([\d.]+)% \| ([\d.]+)% \| ([\d.]+)% \|$", re.MULTILINE)


def test_every_key_of_the_policy_is_explained() -> None:
    schema = SHADOW.fields["shadow"].schema.schema()

    assert {key for key in schema["properties"] if f"`{key}`" not in TEXT} == set()


def test_the_sentences_of_the_examples_are_the_programs(tmp_path: Path) -> None:
    live, few = hour("live", 60_000, 60), hour("live", 60_000, 300) + hour("shadow", 600, 3)
    log = write_minutes(tmp_path / "requests.parquet", live + hour("shadow", 60_000, 60))

    met = judge(log).reason
    undecided = judge(write_minutes(tmp_path / "few.parquet", few)).reason

    assert met in FLAT
    assert undecided in FLAT


@pytest.mark.slow
def test_every_fact_of_the_decision_is_named(tmp_path: Path) -> None:
    minutes = hour("live", 60_000, 60) + hour("shadow", 60_000, 60)

    facts = judge(
        write_minutes(tmp_path / "requests.parquet", minutes), required(pair_by="request_id")
    ).facts

    assert {key for key in facts if f"`{key}`" not in TEXT} == set()


def test_the_numbers_about_requests_without_failures_follow_from_the_formula() -> None:
    z = 1.959963984540054**2

    for budget, requests in ((0.0001, 38_400), (0.001, 3_840)):
        assert z / (requests * 1.001 + z) <= budget <= z / (requests * 0.999 + z) * 1.001
        assert f"{requests:,}" in TEXT


def test_the_table_has_every_kind_of_hour_and_no_false_pass_is_more_than_one_in_twenty() -> None:
    rows = {name: tuple(map(float, shares)) for name, *shares in ROW.findall(TEXT)}
    rare = "the first, failures come 20 at a time"

    assert list(rows) == [world.name for world in WORLDS]
    assert max(shares[1] for name, shares in rows.items() if name != rare) <= 5


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_table_is_what_the_benchmark_finds(world: World) -> None:
    rows = {name: tuple(map(float, shares)) for name, *shares in ROW.findall(TEXT)}
    runs = 200

    passed = list(outcomes(world, world.allowed, runs)).count(ShadowOutcome.WITHIN)

    # Four standard errors of so few hours, and what is rounded.
    stated = rows[world.name][1] / 100
    assert abs(passed / runs - stated) <= 4 * (max(stated, 0.01) / runs) ** 0.5
