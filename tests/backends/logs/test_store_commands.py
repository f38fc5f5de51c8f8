"""Commands on logs in a store of objects, as a user runs them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.logs.stored import Stored, day, stored
from tests.backends.logs.written import AT, DAY
from tests.command import Run
from tests.servers.stores import ObjectServer

POLICY = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: logs, path: "s3://${BUCKET}/logs/model=*/dt=*/*.jsonl", timestamp: ts}
slos:
  - {name: availability, objective: 90%, window: 2d, sli: {bad: status >= 500}}
  - {name: small, objective: 90%, window: 1d, sli: {bad: status >= 500, total: model = 'small'}}
tiers:
  - {name: healthy, remaining: "> 1%", allow: all}
  - {name: exhausted, otherwise: true, allow: [rollback]}
"""
AT_END = ("--at", f"{AT.replace(hour=0):%Y-%m-%dT%H:%M:%SZ}")
EVERY = range(0, 24 * 60, 5)
"""Minutes of a day."""


@pytest.fixture
def store(s3_server: ObjectServer, tmp_path: Path) -> Iterator[Stored]:
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    with stored(s3_server, tmp_path) as made:
        for model, bad in (("small", 50), ("large", 0)):
            for ago in range(1, 6):
                midnight = AT.replace(hour=0) - ago * DAY
                rows = [
                    {
                        "ts": (midnight + DAY * minute / 1440).isoformat(),
                        "status": 500 if bad and minute % bad == 0 else 200,
                    }
                    for minute in EVERY
                ]
                made.put(f"logs/model={model}/dt={day(ago)}/a.jsonl", rows)
        yield made


def run(gate: Run, store: Stored, *arguments: str) -> tuple[int, str]:
    done = gate(*arguments, *AT_END, env={"BUCKET": store.bucket.name})
    return done.exit_code, done.stdout


def test_a_check_reads_the_days_that_it_needs_and_does_not_show_the_variable(
    gate: Run, store: Stored
) -> None:
    code, text = run(gate, store, "check", "gate.yaml", "--format", "json")

    # Each model has 288 rows a day; one at the very start of a window is before it. Of the small
    # model 29 rows a day are bad, from the first on.
    (decision,) = json.loads(text)["policies"]
    whole, small = decision["slos"]
    assert code == 0, text
    assert (whole["total"], whole["bad"]) == (2 * (2 * 288 - 1), 2 * 29 - 1)
    assert (small["total"], small["bad"]) == (288 - 1, 29 - 1)
    assert store.bucket.name not in text
    days = {key.split("/")[2] for key in store.front.objects()}
    assert days == {f"dt={day(ago)}" for ago in range(1, 4)}


def test_cohorts_are_by_a_folder(gate: Run, store: Stored) -> None:
    options = ("--by", "model", "--slo", "availability", "--format", "json")
    code, text = run(gate, store, "cohorts", "gate.yaml", *options)

    assert code == 0, text
    assert '"small"' in text
    assert store.bucket.name not in text


def test_the_doctor_says_what_it_read(gate: Run, store: Stored) -> None:
    store.bucket.delete(f"logs/model=small/dt={day(2)}/a.jsonl")
    store.bucket.delete(f"logs/model=large/dt={day(2)}/a.jsonl")

    _, text = run(gate, store, "doctor", "gate.yaml", "--format", "json")

    days = f"of {day(3)} to {day(1)}; no partition of {day(2)}"
    assert re.search(rf"KB read of 4 objects of [0-9.]+ KB, {days}\"", text)


def test_a_check_that_blocks_says_when_it_would_allow(gate: Run, store: Stored) -> None:
    """For which the history is needed, of what was read already."""
    (store.folder / "gate.yaml").write_text(POLICY.replace("> 1%", "> 10%"), encoding="utf-8")

    code, text = run(gate, store, "check", "gate.yaml", "--format", "json")

    assert code == 10, text
    assert json.loads(text)["policies"][0]["allowed_again_at"] == "2026-10-31T02:30:00Z"
