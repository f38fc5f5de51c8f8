"""Request logs of a canary and of what it is compared with, and watches of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.installed import POLICY
from tests.command import Result, Run

AT = "2026-11-20T14:00:00Z"
START = datetime(2026, 11, 20, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOTH = ("--canary", "track=canary", "--baseline", "track=stable")
WATCHED = POLICY.replace(
    "{type: static, path: counts.yaml}", "{type: logs, path: log.jsonl, timestamp: ts}"
).replace(
    "objective: 99.9%, window: 30d}", "objective: 90%, window: 1h, sli: {bad: status >= 500}}"
)
"""Nine of ten requests must succeed, in the last hour."""


def rows(minutes: int, *, canary: int, stable: int = 1, start: datetime = START) -> Iterator[str]:
    """Yield minutes of 30 requests of the canary and 60 of the stable version, a line each.

    Args:
        minutes: how many.
        canary: how many of its requests fail in each.
        stable: the same.
        start: when the first begins.
    """
    for place in range(minutes):
        for track, total, bad in (("canary", 30, canary), ("stable", 60, stable)):
            for number in range(total):
                at = start + place * MINUTE + (number + 1) * MINUTE / total
                yield json.dumps(
                    {
                        "ts": at.isoformat().replace("+00:00", "Z"),
                        "track": track,
                        "status": 500 if number < bad else 200,
                    }
                )


def write(folder: Path, canary: int = 1, *, minutes: int = 40, text: str = WATCHED) -> None:
    """Write a policy, and logs of an hour before the deploy and of some minutes after it."""
    (folder / "log.jsonl").write_text(log(canary, minutes))
    (folder / "gate.yaml").write_text(text)


@cache
def log(canary: int, minutes: int) -> str:
    before = rows(60, canary=0, start=START - timedelta(hours=1))
    lines = (line for line in before if "stable" in line)
    return "\n".join([*lines, *rows(minutes, canary=canary), ""])


def replay(gate: Run, *more: str, **given: Any) -> Result:
    return gate("watch", *BOTH, "--for", "30m", "--at", AT, *more, **given)
