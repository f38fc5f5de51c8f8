"""Every command over several backends at once, and each report says which of them counted what."""

import json
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gate.decision.document import backends_document
from gate.errors import ExitCode
from tests.command import Result, gate
from tests.config.texts import policy, read

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
REQUESTS, JUDGED = 20_160, 1_680
"""A request a half minute for 7 days, an answer judged every six minutes."""
FAILED, WRONG = 6, 21
POLICY = """\
version: 1
service: rag
backends:
  requests: {type: logs, path: requests.jsonl, timestamp: at}
  judge: {type: logs, path: judge.jsonl, timestamp: at}
  quota: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 7d, backend: requests, sli: {bad: status >= 500}}
  - name: faithfulness
    objective: 95%
    window: 7d
    sampled: true
    backend: judge
    sli: {bad: score < 0.5}
  - {name: quota, objective: 90%, window: 7d, backend: quota}
  - {name: answers, composite: [{slo: availability}, {slo: faithfulness}]}
tiers:
  - {name: healthy, remaining: "> 10%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""


def rows(number: int, every: int, bad: dict[str, Any], good: dict[str, Any], failed: int) -> str:
    """Return rows with failures spread evenly over the days before the instant."""
    lines = []
    for place in range(number):
        at = (AT - place * timedelta(seconds=every)).isoformat()
        row = bad if place % (number // failed) == 0 else good
        lines.append(json.dumps({"at": at, "route": f"/{place % 2}", **row}))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("several")
    texts = {
        "gate.yaml": POLICY,
        "requests.jsonl": rows(REQUESTS, 30, {"status": 503}, {"status": 200}, FAILED),
        "judge.jsonl": rows(JUDGED, 360, {"score": 0.2}, {"score": 0.9}, WRONG),
        "counts.yaml": "counts: {quota: {total: 1000, bad: 10}}\n",
    }
    for name, text in texts.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def run(folder: Path, command: str, *more: str, file: str = "gate.yaml") -> Result:
    return gate(command, file, f"--at={AT.isoformat()}", *more, cwd=folder)


def document(folder: Path, command: str, *more: str, file: str = "gate.yaml") -> Any:
    return json.loads(run(folder, command, "--format=json", *more, file=file).stdout)


BACKENDS = [
    {"name": "requests", "type": "logs", "slos": ["availability"]},
    {"name": "judge", "type": "logs", "slos": ["faithfulness"]},
    {"name": "quota", "type": "static", "slos": ["quota"]},
]


def test_a_check_measures_each_slo_by_its_own_backend(folder: Path) -> None:
    decision = document(folder, "check", "--dry-run")
    (policy_read,) = decision["policies"]

    counted = {
        slo["name"]: (slo["backend"], slo["bad"], slo["total"]) for slo in policy_read["slos"]
    }
    assert counted == {
        "availability": ("requests", FAILED, REQUESTS),
        "faithfulness": ("judge", WRONG, JUDGED),
        "quota": ("quota", 10, 1000),
        "answers": (None, None, None),
    }
    assert policy_read["backends"] == [backend | {"answered": True} for backend in BACKENDS]
    assert decision["verdict"] == "allow"
    schema = json.loads(files("gate").joinpath("schemas/decision.schema.json").read_text())
    jsonschema.validate(decision, schema)


FACTS = "requests (logs): availability", "judge (logs): faithfulness", "quota (static): quota"


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("check", ["--dry-run"]),
        ("status", []),
        ("doctor", []),
        ("incidents", ["--last", "3d"]),
        ("forecast", []),
        ("review", ["--periods", "1"]),
        ("anomalies", []),
        ("backtest", ["--last", "6h"]),
        ("report", ["--last", "3d"]),
        ("cohorts", ["--by", "route"]),
    ],
)
def test_a_report_says_which_backend_counted_what(
    folder: Path, command: str, more: list[str]
) -> None:
    text = " ".join(run(folder, command, "--format=markdown", *more).stdout.split())

    assert [fact for fact in FACTS if fact not in text.replace("`", "")] == []


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("command", "more", "key"),
    [
        ("incidents", ["--last", "3d"], "history"),
        ("forecast", [], "history"),
        ("anomalies", [], "history"),
        ("cohorts", ["--by", "route"], "events by labels"),
    ],
)
def test_a_backend_that_cannot_answer_leaves_out_its_own_slos_only(
    folder: Path, command: str, more: list[str], key: str
) -> None:
    read = document(folder, command, *more)
    (service,) = read["services"]

    unmeasured = {
        slo.get("name", slo.get("slo")): slo["unmeasured"]
        for slo in service["slos"]
        if slo.get("unmeasured") is not None
    }
    assert set(unmeasured) == {"quota"} or set(unmeasured) == set()
    assert service["backends"] == BACKENDS
    if command != "forecast":
        assert key in unmeasured["quota"]["reason"]
        assert "quota (static)" in unmeasured["quota"]["reason"]
    measured = {slo.get("name", slo.get("slo")) for slo in service["slos"]} - set(unmeasured)
    assert {"availability", "faithfulness"} <= measured


def without(folder: Path, name: str, **other: str) -> str:
    """Write a policy beside the other, with other words, and return its name."""
    text = POLICY
    for old, new in other.items():
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_where_a_backend_fails_exactly_its_slos_and_their_composites_are_unknown(
    folder: Path,
) -> None:
    file = without(folder, "gone.yaml", **{"judge.jsonl": "nowhere/*.jsonl"})

    done = run(folder, "check", "--change=canary", "--format=json", file=file)
    (policy,) = json.loads(done.stdout)["policies"]

    assert done.exit_code == ExitCode.UNDECIDED
    remaining = {slo["name"]: slo["remaining"] is not None for slo in policy["slos"]}
    assert remaining == {
        "availability": True,
        "faithfulness": False,
        "quota": True,
        "answers": False,
    }


def test_what_fails_is_what_on_says_of_its_backend(folder: Path) -> None:
    file = without(
        folder,
        "warned.yaml",
        **{
            "judge.jsonl, timestamp: at": (
                "nowhere/*.jsonl, timestamp: at, on: {no_data: warn, backend_error: warn}"
            ),
            "{slo: faithfulness}]": (
                "{slo: faithfulness}], on: {no_data: allow, backend_error: allow}"
            ),
        },
    )

    decision = document(folder, "check", "--dry-run", file=file)

    assert decision["verdict"] == "warn"
    (finding,) = [
        finding
        for finding in decision["policies"][0]["findings"]
        if finding["slo"] == "faithfulness" and finding["verdict"] == "warn"
    ]
    assert "the policy allows that (on." in finding["reason"]
    assert finding["reason"].endswith(" of faithfulness)")


@pytest.mark.slow
def test_a_backend_that_answers_nothing_is_named(folder: Path) -> None:
    (folder / "broken.yaml").write_text("counts: [\n", encoding="utf-8")
    file = without(folder, "silent.yaml", **{"path: counts.yaml": "path: broken.yaml"})

    shown = run(folder, "status", file=file).stdout
    (policy,) = document(folder, "status", file=file)["policies"]

    answered = {backend["name"]: backend["answered"] for backend in policy["backends"]}
    assert answered == {"requests": True, "judge": True, "quota": False}
    assert "quota (static), which did not answer: quota" in " ".join(shown.split())


def test_a_package_that_is_missing_takes_only_its_own_slos(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("gate.backends.logs.version", missing)

    (policy,) = document(folder, "status")["policies"]

    status = {slo["name"]: slo["status"] for slo in policy["slos"]}
    assert status["quota"] == "measured"
    assert status["availability"] == status["faithfulness"] == "backend_error"
    reasons = [doubt["reason"] for doubt in policy["slos"][0]["doubts"]]
    assert reasons[0].startswith("the backend requests (logs): reading request logs needs DuckDB")


def test_a_watch_compares_what_its_backend_can_separate(folder: Path) -> None:
    begun = (AT - timedelta(hours=1)).isoformat()
    done = gate(
        *("watch", "gate.yaml", "--slo=availability", f"--at={begun}", "--for=10m"),
        *("--canary=route=/0", "--baseline=route=/1", "--format=json"),
        cwd=folder,
    )

    report = json.loads(done.stdout)
    assert done.exit_code in {ExitCode.ALLOW, ExitCode.UNDECIDED}
    assert report["backends"] == BACKENDS
    assert report["slos"][0]["canary"]["total"] > 0


@pytest.mark.parametrize(
    ("command", "more", "words"),
    [
        ("incidents", (), "keeps no history to look at"),
        ("cohorts", ("--by", "route"), "cannot separate events by labels"),
        (
            "watch",
            ("--canary", "route=/0", "--baseline", "route=/1", "--for", "10m"),
            "cannot separate events by labels",
        ),
    ],
)
def test_where_no_backend_can_answer_a_command_says_so(
    folder: Path, command: str, more: tuple[str, ...], words: str
) -> None:
    text = """\
version: 1
service: rag
backends: {a: {type: static, path: counts.yaml}, b: {type: static, path: counts.yaml}}
slos:
  - {name: quota, objective: 90%, window: 7d, backend: a}
  - {name: other, objective: 90%, window: 7d, backend: b}
tiers:
  - {name: all, otherwise: true, allow: all}
"""
    (folder / "static.yaml").write_text(text, encoding="utf-8")

    done = run(folder, command, *more, file="static.yaml")

    assert done.exit_code == ExitCode.USAGE
    assert f"each of the backends a (static) and b (static) {words}" in done.stderr


def test_a_backend_that_counts_nothing_has_answered_nothing() -> None:
    text = policy(
        backend="backends: {a: {type: prometheus, url: http://x}, b: {type: prometheus, url:"
        " http://y}}\n",
        slos="slos:\n  - {name: up, objective: 99%, window: 30d, backend: a, sli: {bad: x, total:"
        " y}}\n",
    )
    contents, _ = read(text)
    assert contents is not None

    documents = backends_document(contents.policy, [])

    assert [backend["answered"] for backend in documents] == [None, None]
