"""The first lines of ``gate incidents``: incidents or chronic errors, and by which labels."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.cli.installed import AT, END, LOGS
from tests.command import Run

DAY = timedelta(days=1)
SECONDS = 15
PER_DAY = 24 * 60 * 60 // SECONDS
OUTAGE = range(3 * PER_DAY // 2 + 1, 3 * PER_DAY // 2 + 1 + 240)
"""An hour at the middle of the second of three days: all of llama fail with 503."""
POLICY = (
    LOGS[: LOGS.index("tiers:")]
    .replace("99.9%", "99%")
    .replace("7d", "3d")
    .replace("status >= 500", "status >= 429")
    + "tiers:\n  - {name: any, otherwise: true, allow: all}\n"
)


def status_of(place: int) -> int:
    if place in OUTAGE and model_of(place) == "llama":
        return 503
    return 429 if place % 250 == 0 else 500 if place % 1250 == 7 else 200


def model_of(place: int) -> str:
    return "gpt-x" if place % 10 in {0, 1, 2} else "llama" if place % 2 else "mist"


@cache
def log() -> str:
    """Three days of a request each 15 seconds; every 250th, which is of gpt-x, is throttled."""
    rows = (
        {
            "ts": (END - 3 * DAY + place * timedelta(seconds=SECONDS)).isoformat(),
            "status": status_of(place),
            "model": model_of(place),
            "request_id": f"r{place}",
            "tenant": f"t{place % 100}",
        }
        for place in range(1, 3 * PER_DAY + 1)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def service(write_policy: Callable[..., Path], tmp_path: Path) -> None:
    write_policy(text=POLICY)
    (tmp_path / "log.jsonl").write_text(log())


@pytest.mark.usefixtures("service")
def test_the_first_line_says_how_much_is_chronic_and_by_which_labels(gate: Run) -> None:
    places = range(1, 3 * PER_DAY + 1)
    failed = [place for place in places if status_of(place) != 200]
    chronic = [place for place in failed if place not in OUTAGE]
    throttled = [place for place in chronic if status_of(place) == 429]
    share = len(chronic) / len(failed)

    done = gate("incidents", "gate.yaml", "--at", AT, "--last", "3d")
    words = " ".join(done.stdout.split())

    assert done.exit_code == 0
    burned = (
        f"Failures availability: {100 * (1 - share):.1f}% in 1 incident,"
        f" {100 * share:.1f}% outside incidents"
    )
    assert burned in words
    assert words.index(burned) < words.index("SLO Start, UTC")
    assert (
        f"{100 * len(throttled) / len(chronic):.1f}% of those outside incidents have status 429"
        " (as do 0.4% of all events)"
    ) in words
    assert "model gpt-x" in words
    assert "not compared: 1 label with too many values (tenant)" in words
    in_outage = [place for place in failed if place in OUTAGE]
    unavailable = sum(status_of(place) == 503 for place in in_outage) / len(in_outage)
    assert f"availability: {100 * unavailable:.1f}% of its failures have" in words
    assert "status 503" in words
    assert "model llama" in words


@pytest.mark.usefixtures("service")
def test_the_document_has_the_same_numbers(gate: Run) -> None:
    done = gate("incidents", "gate.yaml", "--at", AT, "--last", "3d", "--format", "json")
    (slo,) = json.loads(done.stdout)["services"][0]["slos"]
    (incident,) = json.loads(done.stdout)["services"][0]["incidents"]
    failed = [place for place in range(1, 3 * PER_DAY + 1) if status_of(place) != 200]

    assert slo["burned"]["bad"] == len(failed)
    assert slo["burned"]["in_incidents"] == sum(place in OUTAGE for place in failed)
    standouts = {one["label"]: one["value"] for one in slo["chronic_labels"]["standouts"]}
    assert standouts == {"status": "429", "model": "gpt-x"}
    assert slo["chronic_labels"]["compared"] == ["model", "status"]
    assert {one["label"] for one in incident["slos"][0]["standouts"]} == {"status", "model"}


@pytest.mark.variants(1)
@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("form", ["markdown", "html"])
def test_the_report_says_it_too(gate: Run, form: str) -> None:
    done = gate("report", "gate.yaml", "--at", AT, "--last", "3d", "--format", form)

    assert "outside incidents" in done.stdout
    assert "of those outside incidents have status 429" in done.stdout


@pytest.mark.usefixtures("service")
def test_the_draft_of_a_record_names_what_stood_out(gate: Run) -> None:
    name = "chat-20261030-1200"
    done = gate("incidents", "gate.yaml", "--at", AT, "--last", "3d", "--draft", name)

    stood_out = yaml.safe_load(done.stdout)["measured"]["stood_out"]
    assert {(one["label"], one["value"]) for one in stood_out} == {
        ("model", "llama"),
        ("status", "503"),
    }


DEPLOYS = """\
{"time": "2026-10-30T12:00:00Z", "revision": "abc1234def", "id": "77"}
{"time": "2026-10-30T13:00:00Z", "revision": "fff", "service": "rag"}
{"time": "2026-10-31T00:00:00Z", "revision": "fff"}
{"time": "2026-10-01T00:00:00Z", "revision": "old"}
"""


@pytest.mark.variants(1)
@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("name", ["77", "abc1234", "abc1234def"])
def test_before_and_after_a_deploy_are_compared(gate: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "deploys.jsonl").write_text(DEPLOYS, encoding="utf-8")
    look = ("incidents", "gate.yaml", "--at", AT, "--last", "3d", "--deploys", "deploys.jsonl")
    words = " ".join(gate(*look, "--since-deploy", name).stdout.split())
    done = gate(*look, "--since-deploy", name, "--format", "json")
    since = json.loads(done.stdout)["services"][0]["since_deploy"]
    (both,) = since["slos"]
    half = PER_DAY // 2
    places = range(3 * half + 1, 4 * half + 1), range(2 * half + 1, 3 * half + 1)
    after, before = (sum(status_of(place) != 200 for place in part) for part in places)

    assert (since["deploy"]["id"], since["until"]) == ("77", "2026-10-31T00:00:00Z")
    assert (both["since"]["total"], both["since"]["bad"]) == (half, after)
    assert (both["before"]["total"], both["before"]["bad"]) == (half, before)
    assert both["interval"][0] < both["ratio"] < both["interval"][1]
    assert f"availability: {after} of {half:,}" in words
    assert "deploy of abc1234def at 2026-10-30 12:00 UTC, compared up to 2026-10-31 00:00" in words


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--since-deploy", "77"), "there are no deploys; name their source with --deploys"),
        (
            ("--since-deploy", "78", "--deploys", "deploys.jsonl"),
            "no deploy has this id or revision",
        ),
        (
            ("--since-deploy", "old", "--deploys", "deploys.jsonl"),
            "it was at 2026-10-01T00:00:00Z, before the time of --last",
        ),
    ],
)
def test_a_deploy_that_cannot_be_examined_is_a_usage_error(
    gate: Run, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "deploys.jsonl").write_text(DEPLOYS, encoding="utf-8")

    done = gate("incidents", "gate.yaml", "--at", AT, "--last", "3d", *options)

    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.usefixtures("service")
def test_a_deploy_of_another_service_changed_nothing_here(gate: Run, tmp_path: Path) -> None:
    text = '{"time": "2026-10-30T13:00:00Z", "revision": "fff", "service": "rag"}'
    (tmp_path / "deploys.jsonl").write_text(text, encoding="utf-8")
    asked = ("--last", "3d", "--deploys", "deploys.jsonl", "--since-deploy", "fff")

    done = gate("incidents", "gate.yaml", "--at", AT, *asked)

    assert done.exit_code == 2
    assert "it is a deploy of rag, and the policy is of chat" in done.stderr


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("own", ['"service": "chat"', '"change": "canary"'])
def test_of_a_revision_that_went_to_several_services_the_own_deploy_counts(
    gate: Run, tmp_path: Path, own: str
) -> None:
    text = (
        f'{{"time": "2026-10-30T12:00:00Z", "revision": "fff", {own}}}\n'
        '{"time": "2026-10-30T13:00:00Z", "revision": "fff", "service": "rag"}\n'
        '{"time": "2026-10-30T12:00:00Z", "revision": "ggg", "service": "rag"}\n'
        '{"time": "2026-10-30T13:00:00+01:00", "revision": "hhh"}\n'
    )
    (tmp_path / "deploys.jsonl").write_text(text, encoding="utf-8")
    asked = ("--last", "3d", "--deploys", "deploys.jsonl", "--since-deploy", "fff")

    done = gate("incidents", "gate.yaml", "--at", AT, "--format", "json", *asked)

    since = json.loads(done.stdout)["services"][0]["since_deploy"]
    assert since["deploy"]["time"] == "2026-10-30T12:00:00Z"
    assert [deploy["revision"] for deploy in since["together_with"]] == ["hhh"]
