"""Each SLO is judged by its own max_age, min_coverage and coverage_floor, wherever they count."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.budget.coverage import Guards
from gate.slo.objective import OwnGuards
from tests.budget.building import HOUR, ratio_slo
from tests.command import Result, gate
from tests.config.texts import assert_mistake, policy, slo, sound

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
NEWEST = timedelta(hours=3)
POLICY = """\
version: 1
service: chat
backend: {type: logs, path: log.jsonl, timestamp: at}
slos:
  - {name: live, objective: 99%, window: 30d, sli: {bad: status >= 500}}
  - {name: nightly, objective: 99%, window: 30d, sli: {bad: status >= 500}, max_age: 6h}
tiers:
  - {name: healthy, remaining: "> 10%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = (
        {"at": (AT - NEWEST - minute * timedelta(minutes=2)).isoformat(), "status": status}
        for minute in range(60 * 24 * 30)
        for status in [500 if minute % 3000 == 0 else 200]
    )
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (tmp_path / "log.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path


def run(folder: Path, command: str, *more: str) -> Result:
    return gate(command, "gate.yaml", f"--at={AT.isoformat()}", "--format=json", *more, cwd=folder)


def stale(part: Any, slo: str | None = None) -> Iterator[str | None]:
    """Yield the SLO of every sentence of a document that says that its newest data are too old."""
    if isinstance(part, dict):
        names = {part.get("slo"), part.get("name")} & {"live", "nightly"}
        for value in part.values():
            yield from stale(value, next(iter(names), slo))
    elif isinstance(part, list):
        for value in part:
            yield from stale(value, slo)
    elif isinstance(part, str) and "max_age is" in part:
        yield slo


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("command", ["status", "incidents", "anomalies", "forecast"])
def test_only_the_slo_whose_own_limit_is_passed_is_stale(command: str, folder: Path) -> None:
    done = run(folder, command)

    assert done.exit_code == 3
    assert set(stale(json.loads(done.stdout))) == {"live"}


@pytest.mark.slow
def test_a_rule_that_looks_back_asks_each_slo_for_its_own_coverage(folder: Path) -> None:
    rows = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "log.jsonl").write_text("".join(rows[: len(rows) * 3 // 10]), encoding="utf-8")
    text = POLICY.replace("max_age: 6h", "min_coverage: 50%")
    rule = "postmortems: {share: 90%, known_incidents: incidents/*.yaml}\nmax_age: 4h\n"
    (folder / "gate.yaml").write_text(text + rule, encoding="utf-8")

    (judged,) = json.loads(run(folder, "check", "--change=canary").stdout)["policies"]
    low = {
        finding["slo"] for finding in judged["findings"] if "min_coverage is" in finding["reason"]
    }

    assert low == {"live"}


@pytest.mark.slow
def test_the_doctor_judges_the_age_by_the_slo_that_needs_the_newest_rows(folder: Path) -> None:
    strict = run(folder, "doctor")
    (folder / "gate.yaml").write_text(
        POLICY.replace("sli: {bad: status >= 500}}", "sli: {bad: status >= 500}, max_age: 4h}"),
        encoding="utf-8",
    )

    assert "the newest row is 3h old; the policy's max_age is 10m" in strict.stdout
    assert "max_age" not in run(folder, "doctor").stdout


WHOLE = Guards(max_age=HOUR, min_coverage=Fraction(9, 10), coverage_floor=Fraction(7, 10))


@pytest.mark.parametrize(
    ("own", "floor"),
    [
        (OwnGuards(max_age=3 * HOUR), Fraction(7, 10)),
        (OwnGuards(min_coverage=Fraction(8, 10)), Fraction(7, 10)),
        (OwnGuards(min_coverage=Fraction(3, 10)), Fraction(3, 10)),
        (OwnGuards(coverage_floor=Fraction(1, 10)), Fraction(1, 10)),
    ],
)
def test_what_an_slo_does_not_say_is_the_policys(own: OwnGuards, floor: Fraction) -> None:
    guards = WHOLE.of(ratio_slo(guards=own))

    assert guards.floor == floor
    assert guards.max_age == (own.max_age or HOUR)
    assert guards.min_coverage == (own.min_coverage or Fraction(9, 10))


GOOD = ("objective: 99%", "window: 30d", "sli: {bad: a, total: b}")


def test_a_policy_gives_an_slo_its_own_limits() -> None:
    text = policy(slos=slo(*GOOD, "max_age: 36h", "min_coverage: 80%", "coverage_floor: 40%"))
    whole = sound(text)
    (one,) = whole.slos

    assert whole.guards_of(one) == Guards(
        max_age=timedelta(hours=36), min_coverage=Fraction(4, 5), coverage_floor=Fraction(2, 5)
    )


@pytest.mark.parametrize(
    ("slos", "words"),
    [
        (
            slo(*GOOD, "min_coverage: 50%", "coverage_floor: ¦60%"),
            "coverage_floor must not be above min_coverage, which is 50%",
        ),
        (
            slo(*GOOD).replace("  - name", "  - ¦name") + "    coverage_floor: 95%\n",
            "availability: coverage_floor must not be above min_coverage, which is 90%",
        ),
        (
            slo(*GOOD) + "  - {name: all, composite: [{slo: availability}], max_age: ¦36h}\n",
            "'max_age' does not go with 'composite'; remove one of the two",
        ),
    ],
)
def test_limits_that_contradict_each_other_are_refused(slos: str, words: str) -> None:
    assert_mistake(policy(slos=slos), words)
