"""The same rows give the same counts from every engine, and they are those of plain Python."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.measure import Answer, Backend, Cause, CountRequest, Counts, Spent, Unmeasured
from gate.measure.capabilities import (
    PastRun,
    cohorts_of,
    history_of,
    labels_of,
    measure_past,
    pairs_of,
)
from gate.measure.cohorts import CohortRequest, Cohorts, LabelCounts, LabelRequest
from gate.measure.history import Series, SeriesRequest
from gate.measure.pairing import PairRequest, Pairs
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.command import gate
from tests.engines.hostile import (
    AT,
    BERLIN,
    HOLE,
    WHOLE,
    WINDOWS,
    HostileRow,
    Test,
    counted,
    is_bad,
    is_event,
    pieces,
    silent_share,
    sliced,
    spent,
    within,
)
from tests.engines.loaded import Loaded

HOUR, MINUTES = timedelta(hours=1), timedelta(minutes=5)
DAY = Span(AT - timedelta(days=1), AT)
ALL = Span(AT - WHOLE, AT)
Case = tuple[Sli, Test, Test | None]


def failed(row: HostileRow) -> bool | None:
    return row.failed


def starts_with_gpt(row: HostileRow) -> bool | None:
    return None if row.model is None else row.model.startswith("gpt")


def cases(engine: Loaded) -> list[Case]:
    """Return indicators, and Python's conditions for them: what is bad, and what is an event."""
    return [
        (Sli(bad=engine.failed), failed, None),
        (Sli(good="status < 500"), failed, None),
        (
            Sli(bad=engine.failed, total="status <> 429"),
            failed,
            lambda row: None if row.status is None else row.status != 429,
        ),
        (Sli(good="NOT (status >= 500)", total="cached"), failed, lambda row: row.cached),
        (Sli(column="latency", threshold=Fraction(2000)), lambda row: not row.fast, None),
        (
            Sli(column="latency", threshold=Fraction(2000), total=engine.starts_with_gpt),
            lambda row: not row.fast,
            starts_with_gpt,
        ),
        (
            Sli(bad=f"model = 'grüße' OR {engine.has_a_quote} OR status IS NULL"),
            lambda row: (
                True
                if row.status is None
                else None
                if row.model is None
                else row.model == "grüße" or "'" in row.model
            ),
            None,
        ),
    ]


@pytest.fixture(scope="module")
def backend(engine: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    return engine.opened(tmp_path_factory.mktemp("policy"))


def requests(slis: list[Sli], **more: Any) -> list[CountRequest]:
    return [
        CountRequest(sli=sli, span=Span(AT - window, AT), **more)
        for sli in slis
        for window in WINDOWS
    ]


def pair_of(answer: Answer) -> tuple[int, int]:
    assert isinstance(answer, Counts), answer
    assert answer.total.denominator == answer.bad.denominator == 1
    return answer.total.numerator, answer.bad.numerator


def test_counts_are_those_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    told = cases(engine)
    answers = backend.measure(requests([sli for sli, _, _ in told]), AT)

    expected = [
        counted(within(rows, AT - window, AT), bad, total)
        for _, bad, total in told
        for window in WINDOWS
    ]
    assert list(map(pair_of, answers)) == expected


def test_slices_are_those_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    target = Fraction(3, 4)
    lengths = [timedelta(minutes=minutes) for minutes in (1, 5, 60)]
    told = cases(engine)[:3]
    asked = [
        CountRequest(sli=sli, span=DAY, slices=Slices(length=length, target=target))
        for sli, _, _ in told
        for length in lengths
    ]

    answers = backend.measure(asked, AT)

    assert list(map(pair_of, answers)) == [
        sliced(rows, (DAY.start, DAY.end), length, target, (bad, total))
        for _, bad, total in told
        for length in lengths
    ]


def test_amounts_are_exact_to_the_last_digit(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    answers = backend.measure(requests([Sli(spent="cost")], amount=True), AT)

    amounts = [answer.amount for answer in answers if isinstance(answer, Spent)]
    expected = [spent(within(rows, AT - window, AT)) for window in WINDOWS]
    if engine.exact:
        assert amounts == expected
    else:
        assert list(map(float, amounts)) == pytest.approx(list(map(float, expected)))


def test_amount_below_zero_is_not_an_amount(backend: Backend) -> None:
    (answer,) = backend.measure([CountRequest(sli=Sli(spent="refund"), span=DAY, amount=True)], AT)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID


def test_evidence_says_when_and_how_much_was_seen(backend: Backend, rows: list[HostileRow]) -> None:
    sli = Sli(bad="status >= 500")
    (answer,) = backend.measure([CountRequest(sli=sli, span=ALL, probe=True)], AT)

    assert isinstance(answer, Counts)
    evidence = answer.evidence
    assert evidence.newest == max(row.ts for row in within(rows, ALL.start, AT)) == AT
    assert evidence.gaps is not None
    assert evidence.gaps.longest is not None
    # The quarter of an hour whose last microsecond has a row again is not a part of the hole.
    assert evidence.gaps.longest == Span(HOLE[0], HOLE[1] - timedelta(minutes=15))
    assert evidence.gaps.late == 0
    assert evidence.gaps.holes == silent_share(rows, ALL.start, AT)
    assert evidence.coverage == 1 - evidence.gaps.holes


@pytest.mark.variants(9)
@pytest.mark.parametrize("step", [HOUR, MINUTES])
def test_history_is_that_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow], step: timedelta
) -> None:
    history = history_of(backend)
    assert history is not None
    told = cases(engine)[:3]
    asked = [
        SeriesRequest(sli=sli, span=DAY, step=step, max_age=timedelta(hours=2))
        for sli, _, _ in told
    ]

    answers = history.history(asked)

    for answer, (_, bad, total) in zip(answers, told, strict=True):
        assert isinstance(answer, Series)
        steps = pieces(rows, DAY.start, step)
        expected = [counted(steps[n], bad, total) for n in range(DAY.length // step)]
        assert [(n or 0.0) for n in answer.total] == [events for events, _ in expected]
        assert [(n or 0.0) for n in answer.bad] == [failures for _, failures in expected]


def test_cohorts_are_those_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    cohorts = cohorts_of(backend)
    assert cohorts is not None
    sli, bad, total = cases(engine)[2]
    (answer,) = cohorts.cohorts(
        [CohortRequest(sli=sli, span=DAY, step=HOUR, by=("model", "cached"), most=50)]
    )

    assert isinstance(answer, Cohorts)
    expected = Counter[tuple[tuple[str, str], bool]]()
    for row in within(rows, DAY.start, AT):
        if is_event(row, bad, total):
            cached = "" if row.cached is None else str(row.cached).lower()
            expected[(row.model or "", cached), is_bad(row, bad)] += 1
    found = {
        values: (sum(n or 0 for n in cohort.total), sum(n or 0 for n in cohort.bad))
        for values, cohort in answer.groups.items()
    }
    assert found == {
        values: (expected[values, True] + expected[values, False], expected[values, True])
        for values in {values for values, _ in expected}
    }


def test_labels_have_the_counts_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    labels = labels_of(backend)
    assert labels is not None
    spans = (Span(AT - HOUR, AT), DAY)
    (answer,) = labels.label_counts(
        [LabelRequest(sli=Sli(bad=engine.failed), spans=spans, most=20)]
    )

    assert isinstance(answer, LabelCounts)
    for name in ("model", "tenant"):
        for place, span in enumerate(spans):
            inside = within(rows, span.start, span.end)
            values = {getattr(row, name) or "" for row in inside}
            found = answer.labels[name]
            for value in values:
                chosen = [row for row in inside if (getattr(row, name) or "") == value]
                assert tuple(found[value][place]) == counted(chosen, failed), (name, value)


def test_past_instants_are_answered_as_if_each_were_now(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    told = cases(engine)[:2]
    instants = [AT - timedelta(minutes=7 * number) for number in range(100)]
    runs = [
        PastRun(
            requests=tuple(
                CountRequest(sli=sli, span=Span(at - timedelta(hours=6), at)) for sli, _, _ in told
            ),
            at=at,
        )
        for at in instants
    ]

    answers = measure_past(backend, runs)

    for at, run in zip(instants, answers, strict=True):
        inside = within(rows, at - timedelta(hours=6), at)
        expected = [counted(inside, bad, total) for _, bad, total in told]
        if inside:
            assert list(map(pair_of, run)) == expected, at
        else:
            assert all(isinstance(answer, Unmeasured) for answer in run)


def test_pairs_are_those_of_python(
    engine: Loaded, backend: Backend, rows: list[HostileRow]
) -> None:
    pairs = pairs_of(backend)
    assert pairs is not None
    (answer,) = pairs.pairs(
        [
            PairRequest(
                sli=Sli(bad=engine.failed),
                span=DAY,
                step=DAY.length,
                by="variant",
                candidate="candidate",
                against="stable",
                pair_by="pair",
            )
        ]
    )

    assert isinstance(answer, Pairs)
    inside = within(rows, DAY.start, AT)
    sides = {
        side: [row for row in inside if row.variant == side] for side in ("candidate", "stable")
    }
    ids = {side: Counter(row.pair for row in found if row.pair) for side, found in sides.items()}
    both = ids["candidate"].keys() & ids["stable"].keys()
    worst = best = 0
    for pair in both:
        copies = [is_bad(row, failed) for row in sides["candidate"] if row.pair == pair]
        originals = [is_bad(row, failed) for row in sides["stable"] if row.pair == pair]
        worst += any(copies) and not all(originals)
        best += all(copies) and not any(originals)
    assert sum(answer.total) == len(both)
    assert (sum(answer.worst.candidate_only), sum(answer.best.candidate_only)) == (worst, best)
    for side, told in (("candidate", answer.candidate), ("stable", answer.against)):
        alone = [row for row in sides[side] if row.pair not in both]
        assert told.events == len(sides[side])
        assert told.alone == len(alone)
        assert told.alone_bad == sum(is_bad(row, failed) for row in alone)
        assert told.without_id == sum(not row.pair for row in sides[side])
        assert told.repeated == sum(count > 1 for count in ids[side].values())


def test_numbers_are_instants(engine: Loaded, rows: list[HostileRow], tmp_path: Path) -> None:
    backend = engine.opened(tmp_path, timestamp="micros", time_format="unix-us")

    answers = backend.measure(requests([Sli(bad=engine.failed)]), AT)

    expected = [counted(within(rows, AT - window, AT), failed) for window in WINDOWS]
    assert list(map(pair_of, answers)) == expected


def test_local_times_are_instants_and_the_second_of_two(
    engine: Loaded, rows: list[HostileRow], tmp_path: Path
) -> None:
    if not engine.has_local_times:
        return
    backend = engine.opened(tmp_path, timestamp="local", time_zone="Europe/Berlin")
    turn = datetime(2026, 10, 25, 1, tzinfo=UTC)
    bounds = [(turn, turn + HOUR), (turn - 2 * HOUR, turn), (turn - 3 * HOUR, AT)]
    shown = [(row, row.local.replace(tzinfo=BERLIN, fold=1)) for row in rows]
    for start, end in bounds:
        (answer,) = backend.measure(
            [CountRequest(sli=Sli(bad=engine.failed), span=Span(start, end))], end
        )

        inside = [row for row, at in shown if start < at.astimezone(UTC) <= end]
        assert pair_of(answer) == counted(inside, failed)


def test_condition_of_all_rows_is_of_every_number(
    engine: Loaded, rows: list[HostileRow], tmp_path: Path
) -> None:
    if not engine.has_where:
        return
    backend = engine.opened(tmp_path, where="tenant = 'chat' AND cached")
    chosen = [row for row in rows if row.tenant == "chat" and row.cached]

    answers = backend.measure(requests([Sli(bad=engine.failed)]), AT)

    expected = [counted(within(chosen, AT - window, AT), failed) for window in WINDOWS]
    assert list(map(pair_of, answers)) == expected


def test_check_says_the_same_of_all_kinds_of_slos(
    engine: Loaded, rows: list[HostileRow], tmp_path: Path
) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(engine.policy(slos(engine)), encoding="utf-8")

    result = gate(
        *("check", "gate.yaml", "--change=canary", f"--at={AT.isoformat()}", "--format=json"),
        *("--timeout=10m", "--policy-ref=none"),
        cwd=tmp_path,
        env=engine.environment,
    )

    (policy,) = json.loads(result.stdout)["policies"]
    measured = {slo["name"]: slo for slo in policy["slos"]}
    whole, day = within(rows, ALL.start, AT), within(rows, DAY.start, AT)
    quarters = (ALL.start, ALL.end), timedelta(minutes=15), Fraction(4, 5)
    expected = {
        "errors": counted(
            whole, failed, lambda row: None if row.status is None else row.status >= 0
        ),
        "latency": counted(day, lambda row: not row.fast),
        "slices": sliced(rows, *quarters, (failed, None)),
        "sampled": counted(day, failed),
    }
    assert {name: (measured[name]["total"], measured[name]["bad"]) for name in expected} == expected
    amount = spent(day)
    assert measured["money"]["spent"] == pytest.approx(float(amount))
    left = {name: 1 - 2 * Fraction(bad, total) for name, (total, bad) in expected.items()}
    left["slices"] = 1 - 2 * Fraction(expected["slices"][1], ALL.length // quarters[1])
    left["money"] = 1 - amount / 10**13
    for name, remaining in left.items():
        assert measured[name]["remaining"] == pytest.approx(float(remaining), abs=1e-12), name
    assert policy["worst_slo"] == min(left, key=lambda name: left[name])
    assert min(left.values()) < Fraction(1, 2)
    assert (result.exit_code, policy["tier"], policy["verdict"]) == (10, "rest", "block")
    # The hole is said of every window that has it, and rows whose outcome nobody knows.
    doubts = {
        name: {doubt["cause"] for doubt in slo["suspicions"]} for name, slo in measured.items()
    }
    assert doubts["errors"] == {"lost", "unknown_outcome"}
    assert doubts["sampled"] == {"unknown_outcome"}


def slos(engine: Loaded) -> list[dict[str, Any]]:
    bad = {"bad": engine.failed}
    timeslices = {"length": "15m", "target": "80%"}
    return [
        {
            "name": "errors",
            "objective": "50%",
            "window": "3d",
            "sli": {**bad, "total": "status >= 0"},
        },
        {
            "name": "latency",
            "objective": "50%",
            "window": "1d",
            "sli": {"column": "latency", "threshold": 2000},
        },
        {
            "name": "slices",
            "objective": "50%",
            "window": "3d",
            "timeslices": timeslices,
            "sli": bad,
        },
        {"name": "sampled", "objective": "50%", "window": "1d", "sampled": True, "sli": bad},
        {"name": "money", "allowance": "10000000000000", "window": "1d", "sli": {"spent": "cost"}},
    ]
