"""A golden set that runs every night, by the command: what people read, and the exit codes."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.config.load import load
from tests.backends.evaluations.nights import (
    AT,
    DAY,
    FIRST,
    Night,
    bad_of,
    names,
    night,
    nights,
    write,
)
from tests.command import Result, gate

POLICY = """\
version: 1
service: golden-set
backend: {type: evaluations, path: "evals/history/**/*.json"}
slos:
  - {name: faithfulness, objective: 95%, window: 30d, sampled: true, sli: {metric: faithfulness}}
tiers:
  - {name: healthy, remaining: "> 10%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""
LIVE = """\
version: 1
service: chat
backend: {type: static, path: counts.yaml}
slos: [{name: availability, objective: 99.9%, window: 30d}]
tiers: [{name: all, otherwise: true, allow: all}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 90 nights, of which three in a row failed a fifth of their cases."""
    folder = tmp_path_factory.mktemp("golden")
    write(folder, nights())
    (folder / "gate.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "live.yaml").write_text(LIVE, encoding="utf-8")
    counts = "counts: {availability: {total: 1000000, bad: 10}}"
    (folder / "counts.yaml").write_text(counts, encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str, at: Any = AT) -> Result:
    return gate(*arguments, f"--at={at.isoformat()}", cwd=folder)


def document(done: Result) -> dict[str, Any]:
    return dict(json.loads(done.stdout))


BAD = sum(bad_of(place) for place in range(60, 90))
"""The failed ones of the 6,000 cases of the last 30 nights; 300 may fail."""


@pytest.mark.slow
def test_the_budget_is_what_the_nights_have_consumed(folder: Path) -> None:
    done = run(folder, "check", "gate.yaml", "--change=canary", "--format=json")
    (slo,) = document(done)["policies"][0]["slos"]

    assert done.exit_code == 0
    assert (slo["total"], slo["bad"]) == (6000, BAD)
    assert slo["remaining"] == pytest.approx(1 - BAD / 300)
    low, high = slo["remaining_interval"]
    assert slo["compared"] == low < 1 - BAD / 300 < high


@pytest.mark.slow
def test_it_is_beside_the_live_slos_and_the_worse_verdict_counts(folder: Path) -> None:
    strict = POLICY.replace("> 10%", "> 30%")
    (folder / "strict.yaml").write_text(strict, encoding="utf-8")
    both = run(folder, "check", "live.yaml", "gate.yaml", "--change=canary", "--format=json")
    worse = run(folder, "check", "live.yaml", "strict.yaml", "--change=canary", "--format=json")

    assert (both.exit_code, worse.exit_code) == (0, 10)
    assert [p["service"] for p in document(worse)["policies"]] == ["chat", "golden-set"]


@pytest.mark.slow
def test_the_age_that_is_too_old_follows_from_how_often_a_run_is_due(folder: Path) -> None:
    in_time, late = AT + timedelta(hours=28), AT + timedelta(hours=30)

    assert run(folder, "check", "gate.yaml", "--change=canary", at=in_time).exit_code == 0
    done = run(folder, "check", "gate.yaml", "--change=canary", at=late)
    assert done.exit_code == 3
    assert "the newest sample is 1d13h old; max_age is 1d12h" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("every", "max_age"),
    [("every: 7d", timedelta(days=10, hours=12)), ("every: 1h", timedelta(minutes=90))],
)
def test_a_weekly_run_may_be_older(every: str, max_age: timedelta, tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(POLICY.replace("path:", f"{every}, path:"), encoding="utf-8")

    assert load(str(path), {}).policy.guards.max_age == max_age


def test_what_the_policy_says_of_the_age_counts(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(POLICY + "max_age: 3d\n", encoding="utf-8")

    assert load(str(path), {}).policy.guards.max_age == 3 * DAY


def chart(folder: Path, at: Any = AT) -> Result:
    options = ("--last=60d", "--step=1d", "--baseline=30d", "--format=json")
    return run(folder, "anomalies", "gate.yaml", *options, at=at)


@pytest.mark.slow
def test_a_drop_is_a_signal_of_a_chart_with_one_point_a_day(folder: Path) -> None:
    done = chart(folder, FIRST + 72 * DAY + timedelta(hours=23))
    (slo,) = document(done)["services"][0]["slos"]
    (drawn,) = slo["charts"]
    (signal,) = drawn["signals"]

    assert done.exit_code == 0
    # Nights 70, 71 and 72; the newest day is not over.
    assert signal["since"].startswith(f"{FIRST + 70 * DAY:%Y-%m-%d}")
    assert signal["peak"]["value"] == 40 / 200
    assert drawn["centre"] == pytest.approx(0.02, abs=0.001)


@pytest.mark.slow
def test_a_chart_of_two_weeks_says_that_it_has_too_few_points(folder: Path) -> None:
    done = run(folder, "anomalies", "gate.yaml")

    assert done.exit_code == 3
    assert "7 of the 20 points needed; look further back" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_the_rule_of_control_charts_warns_in_the_morning_after_a_drop(folder: Path) -> None:
    text = (Path(__file__).parents[3] / "policies" / "golden-set.yaml").read_text(encoding="utf-8")
    (folder / "rule.yaml").write_text(text.replace("../evals", "evals"), encoding="utf-8")
    words = ("check", "rule.yaml", "--change=canary", "--format=json")

    def charted(place: int) -> set[str]:
        at = FIRST + place * DAY + timedelta(hours=7)
        findings = document(run(folder, *words, at=at))["policies"][0]["findings"]
        return {each["verdict"] for each in findings if each["rule"] == "control-chart"}

    assert charted(69) == {"allow"}
    assert charted(70) == {"warn"}


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("command", ["incidents", "forecast", "review", "report", "status"])
def test_the_analyses_work_on_nights(command: str, folder: Path) -> None:
    done = run(folder, command, "gate.yaml")

    assert done.exit_code == 0, done.stdout
    assert "faithfulness" in done.stdout


@pytest.mark.slow
def test_three_bad_nights_are_one_incident(folder: Path) -> None:
    options = ("--threshold=2", "--last=60d", "--format=json")
    done = run(folder, "incidents", "gate.yaml", *options)
    (incident,) = document(done)["services"][0]["incidents"]

    assert incident["slos"][0]["bad"] == 120
    assert incident["start"] < f"{FIRST + 70 * DAY:%Y-%m-%dT%H:%M}" < incident["end"]


@pytest.mark.slow
def test_every_point_of_the_picture_is_what_the_status_said_then(tmp_path: Path) -> None:
    write(tmp_path, nights(80, without=[*range(15), 40, 41, 55, 56, 57, 78]))
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    at = FIRST + 79 * DAY + timedelta(hours=7)
    done = run(tmp_path, "status", "gate.yaml", "--format=json", at=at)
    (slo,) = document(done)["policies"][0]["slos"]
    drawn = slo["burn_down"]
    start, step = drawn["start"], drawn["step_seconds"]

    assert drawn["left"][-1] == pytest.approx(slo["remaining"])
    for place in (3, 9, 14, 18):
        instant = parse(start) + (place + 1) * timedelta(seconds=step)
        (then,) = document(run(tmp_path, "status", "gate.yaml", "--format=json", at=instant))[
            "policies"
        ][0]["slos"]
        shown = None if "stale" in {d["cause"] for d in then["doubts"]} else then["remaining"]
        assert drawn["left"][place] == (shown if shown is None else pytest.approx(shown)), place


def parse(text: str) -> Any:
    return type(AT).fromisoformat(text)


# What the doctor says


def examined(folder: Path, at: Any = AT) -> str:
    return " ".join(run(folder, "doctor", "gate.yaml", at=at).stdout.split())


def test_the_doctor_says_what_there_is_and_when_the_next_run_is_due(folder: Path) -> None:
    said = examined(folder)

    assert "90 files, 90 with a run that counts, by promptfoo" in said
    assert f"30 runs with {BAD} bad of 6,000 cases" in said
    assert "newest run 7h old, the next is due by 2026-10-30 02:00 UTC" in said


def broken(folder: Path, one: Night, changes: Mapping[str, object]) -> None:
    path = folder / "evals" / "history" / f"odd-{one.at:%d%H}.json"
    written = one.document()
    written["results"] |= changes
    path.write_text(json.dumps(written), encoding="utf-8")


def test_the_doctor_names_every_file_that_does_not_count_and_why(tmp_path: Path) -> None:
    runs = [each for each in nights() if each.at != FIRST + 75 * DAY and each.at < AT - 2 * DAY]
    write(tmp_path, runs)
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    history = tmp_path / "evals" / "history"
    broken(tmp_path, night(AT - 3 * DAY, 0), {"version": 2})
    broken(tmp_path, night(AT + DAY, 0), {})
    (history / "copy.json").write_text(json.dumps(runs[0].document()), encoding="utf-8")
    (history / "cut.json").write_text("{", encoding="utf-8")
    other = replace(night(AT - DAY, 0, cases=names(5)), metric="toxicity")
    (history / "other.json").write_text(json.dumps(other.document()), encoding="utf-8")
    said = examined(tmp_path)

    assert "1 cannot be read: evals/history/cut.json: it is not complete JSON" in said
    assert "1 run began later than now" in said
    assert "1 file of runs that another file has, which count once: evals/history/copy.json" in said
    assert "its version is 2, and only 3 is supported" in said
    assert "the files have faithfulness, toxicity; 1 file without it" in said
    assert "1 run did not come: none from 2026-10-14 02:00 UTC to 2026-10-16 02:00 UTC" in said
    assert "max_age is 1d12h" in said


def test_the_doctor_of_a_young_history_says_when_it_began(tmp_path: Path) -> None:
    write(tmp_path, [each for each in nights() if each.at > AT - 5 * DAY])
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")

    assert "the first run is of 2026-10-25 02:00 UTC" in examined(tmp_path)


def test_the_doctor_of_no_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    said = examined(tmp_path)

    assert "no file matches" in said
    assert "keep the result file of every run there" in said


def test_the_doctor_of_an_old_history_says_that_no_run_is_in_the_window(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 40 * DAY, 0)])
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")

    assert "no run is between" in examined(tmp_path)


# The policy


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            "sampled: true",
            "timeslices: {length: 1d, target: 90%}",
            "timeslices do not go with runs of an evaluation, which are too rare; remove them",
        ),
        (
            ", sli: {metric: faithfulness}",
            "",
            "the key 'sli' is missing; add sli: {metric: all}, or the name of a metric:"
            " {metric: faithfulness, score: 0.7}",
        ),
        (
            "sli: {metric: faithfulness}",
            "sli: {bad: status >= 500}",
            "the evaluations backend does not support 'ratio' indicators; it supports: metric",
        ),
        ("evals/history", "evals/${HISTORY}", "HISTORY"),
    ],
)
def test_a_mistake_in_the_policy_says_what_to_write(
    right: str, wrong: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "gate.yaml").write_text(POLICY.replace(right, wrong), encoding="utf-8")
    done = gate("check", "gate.yaml", "--change=canary", cwd=tmp_path, env={"HISTORY": None})

    assert done.exit_code == 2
    assert message in done.stderr


def test_a_path_of_a_variable_is_not_shown(tmp_path: Path) -> None:
    text = POLICY.replace("evals/history", "${PLACE}")
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    environ = {"PLACE": str(tmp_path / "somewhere")}
    done = gate("check", "gate.yaml", "--change=canary", cwd=tmp_path, env=environ)

    assert "no file matches ${PLACE}/**/*.json" in " ".join(done.stdout.split())


def test_init_writes_a_policy_that_is_sound(tmp_path: Path) -> None:
    made = gate("init", "gate.yaml", "--backend=evaluations", cwd=tmp_path)
    checked = gate("validate", "gate.yaml", cwd=tmp_path)

    assert made.exit_code == 0
    assert "keep the result file of every run there" in made.stderr
    assert checked.stdout == "gate.yaml: sound\n"


@pytest.mark.slow
def test_results_that_a_change_brings_along_do_not_judge_it(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    write(tmp_path, [each for each in nights() if AT - 5 * DAY < each.at < AT - DAY])
    short = POLICY.replace("30d", "5d").replace(", sampled: true", "")
    (tmp_path / "gate.yaml").write_text(short, encoding="utf-8")
    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "base")
    git("checkout", "-b", "change")
    write(tmp_path, [night(AT - timedelta(hours=7), 0)])
    git("add", ".")
    git("commit", "-m", "a good night")
    words = ("check", "gate.yaml", "--change=canary", "--policy-ref=main")
    brought = run(tmp_path, *words)
    git("checkout", "main")
    git("checkout", "-b", "other")
    write(tmp_path, [night(AT - timedelta(hours=7), 0)])  # by an earlier step of the job

    assert brought.exit_code == 3
    assert "29-020000.json, which is new in the change" in brought.stderr
    assert run(tmp_path, *words).exit_code == 0
