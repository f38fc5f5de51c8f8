"""Requests joined with their mirrored copies, in real files."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.static import StaticSettings
from gate.measure import Cause, Limits, Unmeasured
from gate.measure.capabilities import pairs_of
from gate.measure.pairing import PairAnswer, PairRequest, Pairs, Unpaired
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.written import AT, FAILED, before, settings, write

HOUR = timedelta(hours=1)
STEP = timedelta(minutes=20)
LIMITS = Limits(timeout=timedelta(seconds=60))


def row(minutes: float, arm: object, identity: object, status: int = 200) -> dict[str, Any]:
    return {
        "ts": before(minutes * 60),
        "deployment": arm,
        "request_id": identity,
        "status": status,
    }


def ask(path: Path, *slis: Sli, **fields: Any) -> list[PairAnswer]:
    backend = pairs_of(open_backend(settings(path), LIMITS))
    assert backend is not None
    request: dict[str, Any] = {
        "span": Span(AT - HOUR, AT),
        "step": STEP,
        "by": "deployment",
        "candidate": "shadow",
        "against": "live",
        "pair_by": "request_id",
        **fields,
    }
    return backend.pairs([PairRequest(sli=sli, **request) for sli in slis or (FAILED,)])


def pairs(answer: PairAnswer) -> Pairs:
    assert isinstance(answer, Pairs), answer
    return answer


def refused(answer: PairAnswer, cause: Cause = Cause.INVALID) -> str:
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause, answer
    return answer.reason


def alone(events: int, **fields: int) -> Unpaired:
    return Unpaired(
        **(
            {"alone": 0, "alone_bad": 0, "without_id": 0, "repeated": 0}
            | fields
            | {"events": events}
        )
    )


ROWS = [
    *(row(50, "live", "a"), row(49.9, "shadow", "a", 500)),
    *(row(30, "live", "b", 500), row(29, "shadow", "b")),
    *(row(10, "live", "c", 503), row(9, "shadow", "c", 500)),
    *(row(8, "live", "d"), row(7, "shadow", "d")),
    row(5, "canary", "d", 500),
]


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_each_request_is_joined_with_its_copy_by_step(tmp_path: Path, form: str) -> None:
    (answer,) = map(pairs, ask(write(tmp_path / f"requests.{form}", ROWS)))

    assert answer.total == (1, 1, 2)
    assert answer.worst == answer.best
    assert answer.worst.candidate_only == (1, 0, 0)
    assert answer.worst.against_only == (0, 1, 0)
    assert answer.worst.both == (0, 0, 1)
    assert answer.candidate == answer.against == alone(4)
    assert "status >= 500" in answer.query


def test_a_pair_is_in_the_step_of_the_later_of_the_two_wherever_it_began(tmp_path: Path) -> None:
    rows = [
        *(row(60.5, "live", "before"), row(59.5, "shadow", "before", 500)),
        *(row(40.5, "shadow", "earlier", 500), row(39.5, "live", "earlier")),
        *(row(70, "live", "gone"), row(59, "shadow", "gone")),
        *(row(62, "live", "outside"), row(61, "shadow", "outside", 500)),
    ]

    (answer,) = map(pairs, ask(write(tmp_path / "requests.jsonl", rows)))

    assert answer.total == (1, 1, 0)
    assert answer.worst.candidate_only == (1, 1, 0)
    assert answer.candidate == alone(3, alone=1)
    assert answer.against == alone(1)


def test_events_without_partner_or_id_are_counted_and_whether_they_failed(tmp_path: Path) -> None:
    rows = [
        *(row(30, "live", "a"), row(29, "shadow", "a")),
        *(row(20, "shadow", None, 500), row(20, "shadow", "", 500), row(20, "shadow", None)),
        *(row(20, "live", None), row(20, "live", "lost"), row(20, "live", "lost too", 500)),
    ]

    (answer,) = map(pairs, ask(write(tmp_path / "requests.jsonl", rows)))

    assert answer.total == (0, 1, 0)
    assert answer.candidate == alone(4, alone=3, alone_bad=2, without_id=3)
    assert answer.against == alone(4, alone=3, alone_bad=1, without_id=1)


def test_an_id_that_comes_twice_counts_for_and_against_the_candidate(tmp_path: Path) -> None:
    rows = [
        # The copy was retried: it failed, and it did not.
        *(row(30, "live", "a"), row(29, "shadow", "a", 500), row(28, "shadow", "a")),
        # So was the original, of which one was logged before the hour.
        *(row(61, "live", "b", 500), row(30, "live", "b"), row(30, "shadow", "b")),
    ]

    (answer,) = map(pairs, ask(write(tmp_path / "requests.jsonl", rows)))

    assert answer.total == (0, 2, 0)
    assert (answer.worst.candidate_only, answer.worst.against_only) == ((0, 1, 0), (0, 0, 0))
    assert (answer.best.candidate_only, answer.best.against_only) == ((0, 0, 0), (0, 1, 0))
    assert answer.candidate == alone(3, repeated=1)
    assert answer.against == alone(2, repeated=1)


@dataclass(slots=True)
class Counted:
    """The result of Python for the same rows, one after the other."""

    steps: list[list[int]] = field(default_factory=lambda: [[0, 0, 0, 0] for _ in range(3)])
    lost: dict[str, int] = field(default_factory=lambda: {"shadow": 0, "live": 0})


def counted(rows: Iterable[Mapping[str, Any]]) -> Counted:
    by_id: dict[str, dict[str, Mapping[str, Any]]] = {}
    result = Counted()
    for one in rows:
        if one["status"] != 404:
            by_id.setdefault(one["request_id"], {})[one["deployment"]] = one
    for sides in by_id.values():
        if len(sides) == 1:
            ((arm, lonely),) = sides.items()
            result.lost[arm] += before(3600) < lonely["ts"]
            continue
        newest = max(one["ts"] for one in sides.values())
        step = sum(newest > before(seconds) for seconds in (3600, 2400, 1200)) - 1
        if step >= 0:
            bad, live = (sides[arm]["status"] >= 500 for arm in ("shadow", "live"))
            counts = result.steps[step]
            counts[0] += 1
            counts[1] += bad and not live
            counts[2] += live and not bad
            counts[3] += bad and live
    return result


def test_the_join_is_what_python_makes_of_the_rows(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = []
    for number in range(3_000):
        minutes = rng.uniform(0.1, 64)
        for arm in ("live", "shadow"):
            if rng.random() < 0.97:
                status = rng.choice([200, 200, 200, 404, 500])
                rows.append(row(minutes + rng.uniform(-0.1, 0.1), arm, f"r{number}", status))
    truth = counted(rows)

    sli = Sli(bad="status >= 500", total="status <> 404")
    (answer,) = map(pairs, ask(write(tmp_path / "requests.jsonl", rows), sli))

    steps = (
        answer.total,
        answer.worst.candidate_only,
        answer.worst.against_only,
        answer.worst.both,
    )
    assert [list(step) for step in zip(*steps, strict=True)] == truth.steps
    assert answer.candidate.alone == truth.lost["shadow"]
    assert answer.against.alone == truth.lost["live"]


@pytest.mark.slow
def test_slos_share_a_scan_and_numbers_and_expressions_are_ids_too(tmp_path: Path) -> None:
    big = 9_007_199_254_740_993  # as a float it would be the number below
    rows = [
        *(row(30, "live", big), row(29, "shadow", big - 1, 500), row(29, "live", big - 1)),
        row(28, "shadow", big),
    ]
    log = write(tmp_path / "requests.jsonl", rows)

    first, second = map(pairs, ask(log, FAILED, Sli(bad="status < 500")))
    (whole,) = map(pairs, ask(log, pair_by="request_id // 10"))

    assert (first.total, first.worst.candidate_only) == ((0, 2, 0), (0, 1, 0))
    assert second.worst.against_only == (0, 1, 0)
    assert (whole.total, whole.candidate.repeated) == ((0, 1, 0), 1)


def test_a_log_in_which_one_of_them_has_no_row_has_no_pairs(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", [row(30, "live", "a"), row(20, "other", "a")])

    (answer,) = map(pairs, ask(log))

    assert answer.total == (0, 0, 0)
    assert answer.candidate == alone(0)
    assert answer.against == alone(1, alone=1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pair_by": "request"}, 'no column "request" in the logs; there are: request_id'),
        ({"by": "deploy"}, 'no column "deploy" in the logs; there are: deployment'),
    ],
)
def test_a_column_that_is_missing_is_named(
    tmp_path: Path, fields: dict[str, str], reason: str
) -> None:
    (answer,) = ask(write(tmp_path / "requests.jsonl", ROWS), **fields)

    assert refused(answer).startswith(reason)


def test_an_amount_and_a_file_without_the_column_and_rows_without_a_time_are_refused(
    tmp_path: Path,
) -> None:
    log = write(tmp_path / "requests.jsonl", ROWS)
    write(tmp_path / "parts" / "a.jsonl", ROWS)
    write(tmp_path / "parts" / "b.jsonl", [{"ts": before(60), "status": 500, "deployment": "live"}])
    undated = write(tmp_path / "undated.jsonl", [*ROWS, {**ROWS[0], "ts": "yesterday"}])

    spent, _ = ask(log, Sli(spent="status"), FAILED)
    (partly,) = ask(tmp_path / "parts" / "*.jsonl")
    (lost,) = ask(undated)

    assert refused(spent) == "spend has no events to pair"
    assert 'no column "request_id" in 1 of 2 files' in refused(partly)
    assert "no readable timestamp" in refused(lost)


def test_only_a_backend_that_sees_single_requests_can_pair_them(tmp_path: Path) -> None:
    static = open_backend(StaticSettings(path=tmp_path / "counts.yaml"), LIMITS)
    prometheus = open_backend(PrometheusSettings(url="http://127.0.0.1:1"), LIMITS)

    assert pairs_of(static) is None
    assert pairs_of(prometheus) is None
