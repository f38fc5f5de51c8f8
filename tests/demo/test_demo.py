"""The demo's month: the same everywhere, as its truth.json says, and measured as it truly was."""

import hashlib
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import GATE
from tests.command import gate
from tests.demo.conftest import POLICY, READY, ROOT

pytestmark = pytest.mark.slow

BEFORE, AFTER = "2026-10-19T09:00:00Z", "2026-10-23T12:00:00Z"


def truth(month: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((month / "demo/logs/truth.json").read_text())
    return read


def requests(month: Path, source: str = "logs") -> Iterator[dict[str, Any]]:
    for path in sorted((month / "demo" / source).glob("*.jsonl")):
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def decide(month: Path, change: str, at: str, policy: str = POLICY) -> tuple[int, dict[str, Any]]:
    arguments = (policy, "--change", change, "--at", at, "--format", "json")
    done = gate("check", *arguments, cwd=month)
    words = [line for line in done.stderr.splitlines() if not line.startswith("gate: measuring ")]
    assert words == []  # but for what a slow machine makes it say
    return done.exit_code, json.loads(done.stdout)["policies"][0]


@pytest.mark.slow
def test_the_bytes_are_the_same_on_every_machine(month: Path) -> None:
    digest = hashlib.sha256()
    for source in ("logs", "judge"):
        for path in sorted((month / "demo" / source).iterdir()):
            digest.update(path.read_bytes())
    assert digest.hexdigest() == "4602dd15f93405f0d819040a92ab8fcf2689e85df5d26665e93c59707470a9f5"


def test_the_truth_is_what_the_files_hold(month: Path) -> None:
    held: Counter[str] = Counter()
    for one in requests(month):
        answered = one["status"] == 200
        held.update(
            rows=1,
            errors=one["status"] >= 500,
            answered=answered,
            slow=answered and one["ttft_ms"] > 2000,
            spent_micro_usd=round(one["cost_usd"] * 1_000_000),
        )
    for score in requests(month, "judge"):
        held.update(judged=1, hallucinated=score["score"] < 0.5)
    assert truth(month)["total"] == held


def test_each_budget_is_that_of_its_own_source(month: Path) -> None:
    _, policy = decide(month, "canary", BEFORE)
    assert policy["backends"] == [
        {
            "name": "requests",
            "type": "logs",
            "slos": ["availability", "first-token", "spend"],
            "answered": True,
        },
        {"name": "judge", "type": "logs", "slos": ["hallucinations"], "answered": True},
    ]


@pytest.mark.parametrize("name, at", [("before", BEFORE), ("after", AFTER)])
def test_the_budgets_are_what_the_generator_spent(month: Path, name: str, at: str) -> None:
    _, policy = decide(month, "canary", at)
    true = truth(month)["windows"][name]
    counted = {slo["name"]: (slo["bad"], slo["total"]) for slo in policy["slos"]}
    assert counted == {
        "availability": (true["errors"], true["rows"]),
        "first-token": (true["slow"], true["answered"]),
        "hallucinations": (true["hallucinated"], true["judged"]),
        "spend": (None, None),
    }
    remaining = {slo["name"]: slo["remaining"] for slo in policy["slos"]}
    assert remaining["availability"] == pytest.approx(1 - true["errors"] / (0.001 * true["rows"]))
    days = [day for stamp, day in truth(month)["days"].items() if stamp < at[:10]]
    spent = sum(day["spent_micro_usd"] for day in days) / 1_000_000
    assert spent <= policy["slos"][3]["spent"] <= spent + 20


@pytest.mark.parametrize(
    "change, at, code, tier",
    [
        ("canary", BEFORE, 0, "healthy"),
        ("canary", AFTER, 10, "exhausted"),
        ("security-patch", AFTER, 0, "exhausted"),
    ],
)
def test_the_demo_decides_as_announced(
    month: Path, change: str, at: str, code: int, tier: str
) -> None:
    returned, policy = decide(month, change, at)
    assert (returned, policy["tier"]) == (code, tier)


def test_the_month_has_three_incidents_as_they_were_generated(month: Path) -> None:
    done = gate("incidents", POLICY, "--at", AFTER, "--last", "22d", "--format", "json", cwd=month)
    (service,) = json.loads(done.stdout)["services"]
    felt = [
        (slo["name"], *(datetime.fromisoformat(slo[key]) for key in ("start", "end")))
        for incident in service["incidents"]
        for slo in incident["slos"]
    ]
    true = [
        tuple(datetime.fromisoformat(episode[key]) for key in ("start", "end"))
        for episode in truth(month)["episodes"]
    ]

    assert done.exit_code == 0
    assert [name for name, _, _ in felt] == ["availability", "hallucinations", "first-token"]
    for (_, start, end), (began, ended) in zip(felt, true, strict=True):
        # To a step of five minutes; of answers of which few are judged, to the next one judged.
        assert abs(start - began) <= timedelta(minutes=30)
        assert abs(end - ended) <= timedelta(minutes=30)


def test_the_page_shows_what_ate_each_budget(month: Path) -> None:
    done = gate("report", POLICY, "--at", AFTER, "--last", "22d", "--format", "json", cwd=month)
    (service,) = json.loads(done.stdout)["services"]
    window = truth(month)["windows"]["after"]
    episodes = truth(month)["episodes"]

    eaten = {slo["name"]: slo["consumption"] for slo in service["slos"]}
    (outage,) = eaten["availability"]["incidents"]
    # Beside the episode's own failures, the steps at its edges have one or two more.
    true = episodes[0]["errors"] / (0.001 * window["rows"])
    assert true <= outage["budget_share"] <= true + 0.05
    consumed = window["errors"] / (0.001 * window["rows"])
    assert outage["budget_share"] + eaten["availability"]["chronic"] == pytest.approx(consumed)
    line = next(
        slo["trace"]["remaining"] for slo in service["slos"] if slo["name"] == "availability"
    )
    # The logs begin on the first, and a window has 14 days.
    assert line[0][0] >= "2026-10-15"
    assert line[-1] == [AFTER, pytest.approx(1 - consumed)]


@pytest.fixture(scope="module")
def shown(month: Path) -> str:
    """Return what `make demo` shows on a terminal of 80 columns once all is installed."""
    (month / "docs/demo/demo.sh").write_bytes((ROOT / "docs/demo/demo.sh").read_bytes())
    environment = {**os.environ, "GATE": str(GATE), "COLUMNS": "80"}
    done = subprocess.run(
        ["bash", "docs/demo/demo.sh"],
        cwd=month,
        env=environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_demo_shows_the_answers_in_the_order_of_the_story(shown: str) -> None:
    # The demo fails where a code is not as its title says.
    codes = map(int, re.findall(r"^== .* \(exit code (\d+)\)$", shown, re.MULTILINE))
    commands = re.findall(r"^\$ gate (\w+) \S+ (?:--change (\S+) )?", shown, re.MULTILINE)
    assert list(zip(commands, codes, strict=True)) == [
        (("check", "canary"), 0),
        (("check", "canary"), 10),
        (("check", "security-patch"), 0),
        (("watch", ""), 10),
        (("check", "security-patch"), 3),
        (("cohorts", ""), 0),
        (("report", ""), 0),
    ]


def test_the_demo_says_who_decides_and_which_prompt_it_was(shown: str) -> None:
    _, blocked, _, watched, _, cohorts, _ = shown.split("\n== ")
    assert "hallucinations" in blocked
    assert "@acme/llm-platform" in blocked
    assert "ROLL BACK" in watched
    assert "support-v8" in cohorts


def test_the_readme_shows_what_the_demo_says_of_the_canary(shown: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"`([^`]*ROLL BACK[^`]*)`", readme)
    assert line in shown.splitlines()


def test_a_demo_that_does_not_go_as_announced_fails(month: Path, tmp_path: Path) -> None:
    (month / "docs/demo/demo.sh").write_bytes((ROOT / "docs/demo/demo.sh").read_bytes())
    always = tmp_path / "gate"
    always.write_text("#!/bin/sh\nexit 10\n")
    always.chmod(0o755)
    done = subprocess.run(
        ["bash", "docs/demo/demo.sh"],
        cwd=month,
        env={**os.environ, "GATE": str(always)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    # Of the seven answers, two are 10.
    assert done.stdout.count("That is wrong: the exit code was 10.") == 5


def test_the_canary_is_rolled_back_on_what_the_logs_have_of_it(month: Path) -> None:
    arms = ("--canary", "prompt_template=support-v9", "--baseline", "prompt_template=support-v7")
    done = gate(
        *("watch", POLICY, "--slo", "availability", *arms, "--for", "30m"),
        *("--at", "2026-10-27T10:30:00Z", "--format", "json"),
        cwd=month,
    )
    report = json.loads(done.stdout)
    (slo,) = report["slos"]
    begun, ended = map(datetime.fromisoformat, (report["from"], report["to"]))
    counted = {"support-v9": [0, 0], "support-v7": [0, 0]}
    for one in requests(month):
        # A step leaves its start out and includes its end.
        if begun < datetime.fromisoformat(one["ts"]) <= ended:
            counts = counted[one["prompt_template"]]
            counts[0] += 1
            counts[1] += one["status"] >= 500

    assert (done.exit_code, report["verdict"]) == (10, "roll-back")
    assert [slo["canary"]["total"], slo["canary"]["bad"]] == counted["support-v9"]
    assert [slo["baseline"]["total"], slo["baseline"]["bad"]] == counted["support-v7"]
    fails = datetime.fromisoformat(truth(month)["canary"]["fails"])
    assert fails < ended <= fails + timedelta(minutes=5)


def test_a_canary_that_works_is_not_rolled_back(month: Path) -> None:
    arms = ("--canary", "prompt_template=support-v9", "--baseline", "prompt_template=support-v7")
    done = gate(
        *("watch", POLICY, "--slo", "availability", *arms, "--for", "6m"),
        *("--at", "2026-10-27T10:30:00Z", "--format", "json"),
        cwd=month,
    )
    # That so few requests have not failed shows nothing.
    assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (3, "cannot-tell")


def test_the_demo_fits_on_a_screen_of_80_lines_and_80_columns(shown: str) -> None:
    rows = sum(max(1, -(-len(line) // 80)) for line in shown.splitlines())
    assert rows <= 80


def test_the_demo_leaves_the_comment_and_the_page_and_says_what_to_do_next(
    month: Path, shown: str
) -> None:
    assert "BLOCK" in (month / "demo/comment.md").read_text(encoding="utf-8")
    assert f"file://{month}/demo/report.html" in shown
    assert (month / "demo/report.html").is_file()
    assert " init" in shown.splitlines()[-1]


def test_without_the_judge_exactly_its_budget_is_unknown(month: Path, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "logs").symlink_to(month / "demo" / "logs")
    for policy in (POLICY, READY):
        (tmp_path / policy).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / policy).write_bytes((month / policy).read_bytes())

    code, plain = decide(tmp_path, "canary", BEFORE)
    of_rag, composite = decide(tmp_path, "canary", BEFORE, READY)

    assert (code, of_rag) == (3, 3)
    unknown = {slo["name"] for slo in plain["slos"] if slo["remaining"] is None}
    assert unknown == {"hallucinations"}
    assert {slo["name"] for slo in composite["slos"] if slo["remaining"] is None} == {
        "hallucinations",
        "answers",
    }


@pytest.mark.parametrize("at, code", [(BEFORE, 0), (AFTER, 10)])
def test_the_ready_policy_for_rag_weighs_both_budgets(month: Path, at: str, code: int) -> None:
    returned, policy = decide(month, "prompt-update", at, READY)
    consumed = {slo["name"]: slo["consumed"] for slo in policy["slos"]}
    assert returned == code
    assert consumed["answers"] == pytest.approx(
        0.5 * consumed["availability"] + 0.5 * consumed["hallucinations"]
    )
