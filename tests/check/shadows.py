"""Logs of a live deployment and its shadow, of which it is known what happened, and what is judged.

Written by DuckDB itself, so that a hundred thousand requests take no time; nothing is drawn at
random unless a test does so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import duckdb

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.check.shadow import judge_shadows
from gate.measure import Limits
from gate.policy.policy import Policy
from gate.policy.requirements import RequirementResult, ShadowRequirement
from tests.backends.logs.written import AT
from tests.config.texts import policy, sound

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
SLOS: Final = """\
slos:
  - {name: availability, objective: 99%, window: 30d, sli: {bad: status >= 500}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """The requests of one deployment in one minute."""

    minute: int
    """How many minutes before the instant it ended; 0 is the newest."""
    arm: str
    requests: int
    bad: int = 0
    first: int = 0
    """The number of the first id; requests of both with the same number are each other's copies."""
    shift: int = 0
    """By how much the failing ones are shifted: failures begin at this place of the minute."""
    unlabelled: int = 0
    """The number of failing requests without an id."""


def write_minutes(path: Path, minutes: Sequence[Minute]) -> Path:
    """Write every request of the minutes, evenly spread over each."""
    values = ", ".join(
        f"({m.minute}, '{m.arm}', {m.requests}, {m.bad}, {m.first}, {m.shift}, {m.unlabelled})"
        for m in minutes
        if m.requests
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT TIMESTAMPTZ '{AT.isoformat()}' - to_seconds(60 * minute) "
            "- to_microseconds((59000000 * (n + 0.5) / requests)::BIGINT) AS ts, "
            "arm AS deployment, "
            "CASE WHEN failed AND n - shift < unlabelled THEN NULL ELSE 'r' || (first + n) END "
            "AS request_id, CASE WHEN failed THEN 500 ELSE 200 END AS status "
            "FROM (SELECT *, n >= shift AND n < shift + bad AS failed FROM "
            f"(SELECT *, unnest(range(requests)) AS n FROM (VALUES {values}) AS "
            "t(minute, arm, requests, bad, first, shift, unlabelled)))) "
            f"TO '{path}' (FORMAT parquet)"
        )
    return path


def spread(total: int, parts: int) -> list[int]:
    """Spread a number evenly over parts, in whole numbers."""
    return [(place + 1) * total // parts - place * total // parts for place in range(parts)]


def hour(arm: str, requests: int, bad: int, minutes: int = 60, **fields: Any) -> list[Minute]:
    """Return the minutes before the instant, with requests and failures spread evenly."""
    counts = zip(spread(requests, minutes), spread(bad, minutes), strict=True)
    rows, first = [], 0
    for minute, (count, failed) in enumerate(counts):
        rows.append(
            Minute(minute=minute, arm=arm, requests=count, bad=failed, first=first, **fields)
        )
        first += count
    return rows


def required(**fields: Any) -> ShadowRequirement:
    """Return a requirement: at most 0.5% more of 99%'s requests may fail."""
    given: dict[str, Any] = {
        "by": "deployment",
        "candidate": "shadow",
        "against": "live",
        "slos": (),
        "margin": Fraction(1, 2),
        "lasting": HOUR,
    }
    return ShadowRequirement(**given | fields)


def policy_of(slos: str = SLOS, more: str = "") -> Policy:
    """Return a policy with these SLOs on request logs."""
    head = "version: 1\nservice: chat\nowners: [a]\n"
    backend = "backend: {type: logs, path: x.jsonl, timestamp: ts}\n"
    return sound(policy(head=head, backend=backend, slos=slos, more=more))


def judge(
    path: Path, requirement: ShadowRequirement | None = None, slos: str = SLOS, more: str = ""
) -> RequirementResult:
    """Judge one requirement by the logs in a file."""
    records = Records(timestamp="ts")
    settings = LogsSettings(path=path.name, directory=path.parent, records=records)
    backend = open_backend(settings, Limits(timeout=timedelta(seconds=60)))
    wanted = requirement or required()
    return judge_shadows(policy_of(slos, more), [wanted], backend, AT)[wanted]
