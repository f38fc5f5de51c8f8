"""docs/rules.md: its policies are read as they stand there, and its words are the program's."""

import re
from pathlib import Path

import duckdb
import pytest

from benchmarks.exhausting import BUDGETS, score
from benchmarks.sampling import SAMPLINGS, Sampling, coverage
from benchmarks.services import WORDS
from gate.config.known_incidents import load_known_incidents
from gate.config.past_schema import EXHAUSTION, POSTMORTEMS
from gate.policy.changes import REPAIRS
from gate.slo.objective import RatioSlo
from tests.config.texts import policy, sound

TEXT = (Path(__file__).parent.parent / "docs" / "rules.md").read_text(encoding="utf-8")
BOTH, RECORD, RELEASES, SAMPLE = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_policies_are_read_as_they_stand_there() -> None:
    both, releases = sound(policy(more=BOTH)), sound(policy(more=RELEASES))

    assert both.exhaustion is not None
    assert both.postmortems is not None
    assert releases.postmortems is not None
    assert (both.postmortems.excuse_reviewed, releases.postmortems.excuse_reviewed) == (False, True)


def test_the_sample_says_how_much_its_answers_resemble_each_other() -> None:
    (slo,) = sound(policy(slos=SAMPLE)).slos

    assert isinstance(slo, RatioSlo)
    assert slo.design_effect == 3


def test_the_statement_gives_the_design_effect_of_a_log() -> None:
    (statement,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    # Of 100 conversations one has 10 bad answers, and the others 10 good ones: ten are as one, and
    # 100 of 99 more since the mean is that of the same conversations.
    rows = "FROM (SELECT i // 10 AS conversation_id, i < 10 AS failed FROM range(1000) AS t(i))"
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE answers AS {rows}")

    ((effect,),) = connection.execute(statement).fetchall()

    assert effect == pytest.approx(10 * 100 / 99)


@pytest.mark.slow
@pytest.mark.parametrize("sampling", SAMPLINGS[:4])
def test_how_often_an_interval_holds_is_what_a_simulation_measures(sampling: Sampling) -> None:
    row = f"| {sampling.conversations} | {sampling.answers} | {sampling.alike} |"
    (told,) = re.findall(re.escape(row) + r" [\d.]+ \| (\d+)% \| (\d+)% \|", TEXT)

    measured = coverage(sampling, 600)

    assert [100 * share for share in measured] == pytest.approx(list(map(int, told)), abs=5)


def test_the_record_is_complete(tmp_path: Path) -> None:
    (tmp_path / "42.yaml").write_text(RECORD, encoding="utf-8")

    (record,) = load_known_incidents([str(tmp_path)], {})

    assert record.missing == ()


def test_every_key_is_reported() -> None:
    keys = {*EXHAUSTION.fields, *POSTMORTEMS.fields}

    assert {key for key in keys if f"| `{key}` |" not in TEXT} == set()


def test_the_repairs_are_named() -> None:
    (first, *_) = re.findall(r"ship anyway; default (.*?) \|", TEXT)

    assert set(first.split(", ")) == REPAIRS


@pytest.mark.slow
@pytest.mark.parametrize("service", BUDGETS)
def test_how_often_the_rule_is_right_is_what_a_simulation_measures(service: str) -> None:
    """A reduced run of benchmarks/exhausting.py, whose figures stand in the docs."""
    described = WORDS[service].replace("the same, and", "worse by day and on working days,")
    ways = {"the last hour": (1,), "the rule: 6 hours and a day": (6, 24)}

    for name, windows in ways.items():
        row = re.escape(f"| {described} | {name} |") + r" (\d+)% \| (\d+)% \|"
        (told,) = re.findall(row, TEXT)
        measured = score(service, windows, 40)
        assert 100 * measured.precision == pytest.approx(int(told[0]), abs=9)
        assert 100 * measured.recall == pytest.approx(int(told[1]), abs=12)
