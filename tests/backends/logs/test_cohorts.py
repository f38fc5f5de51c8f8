"""Rows told apart by columns."""

import random
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.measure import Cause, Limits, Unmeasured
from gate.measure.capabilities import cohorts_of
from gate.measure.cohorts import OTHERS, CohortAnswer, CohortRequest, Cohorts
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.written import (
    AT,
    DAY,
    FAILED,
    ask_all,
    before,
    counts,
    request,
    write,
)

HOUR = timedelta(hours=1)


def ask(
    path: Path,
    *slis: Sli,
    by: tuple[str, ...] = ("template",),
    most: int = 20,
    keep: str | None = None,
) -> list[CohortAnswer]:
    settings = LogsSettings(path=path.name, directory=path.parent, records=Records(timestamp="ts"))
    teller = cohorts_of(open_backend(settings, Limits(timeout=timedelta(seconds=60))))
    assert teller is not None
    return teller.cohorts(
        [
            CohortRequest(
                sli=sli, span=Span(AT - 3 * HOUR, AT), step=HOUR, by=by, most=most, keep=keep
            )
            for sli in slis or (FAILED,)
        ]
    )


def cohorts(answer: CohortAnswer) -> Cohorts:
    assert isinstance(answer, Cohorts), answer
    return answer


def refused(answer: CohortAnswer, cause: Cause = Cause.INVALID) -> str:
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause, answer
    return answer.reason


def row(hours: float, template: object, status: int = 200, **more: object) -> dict[str, object]:
    return {"ts": before(hours * 3600), "template": template, "status": status, **more}


ROWS = [
    row(2.5, "v1"),
    row(2.4, "v1", 500),
    row(0.5, "v2", 500),
    row(0.4, None),
    row(5, "v9", 500),
]


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_each_value_has_its_events_by_step(tmp_path: Path, form: str) -> None:
    (found,) = map(cohorts, ask(write(tmp_path / f"requests.{form}", ROWS)))

    assert set(found.groups) == {("v1",), ("v2",), ("",)}
    assert found.groups[("v1",)].total == (2.0, 0.0, 0.0)
    assert found.groups[("v1",)].bad == (1.0, 0.0, 0.0)
    assert found.groups[("v2",)].bad == (0.0, 0.0, 1.0)
    assert found.groups[("",)].total == (0.0, 0.0, 1.0)
    assert found.notes == ()


@pytest.mark.slow
def test_the_groups_together_are_what_is_counted_as_a_whole(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows = [
        row(
            rng.uniform(-1, 4),
            rng.choice(["v1", "v2", "", None]),
            rng.choice([200, 404, 500, 503]),
            ms=rng.choice([10, 2_000, None]),
        )
        for _ in range(2_000)
    ]
    log = write(tmp_path / "requests.jsonl", rows)
    slis = (
        FAILED,
        Sli(bad="status >= 500", total="status <> 404"),
        Sli(column="ms", threshold=Fraction(1_000), total="status = 200"),
    )

    wholes = ask_all(log, [request(sli, 3 * HOUR) for sli in slis])

    for answer, whole in zip(ask(log, *slis), wholes, strict=True):
        groups = cohorts(answer).groups.values()
        sums = [
            sum(sum(filter(None, part)) for part in parts)
            for parts in ([one.total for one in groups], [one.bad for one in groups])
        ]
        assert tuple(sums) == counts(whole)


def test_numbers_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = [row(1, 7), row(1, 2.5), row(1, 10)]

    (found,) = map(cohorts, ask(write(tmp_path / "requests.jsonl", rows)))

    assert set(found.groups) == {("7",), ("2.5",), ("10",)}


def test_fields_within_and_expressions_are_distinguished_too(tmp_path: Path) -> None:
    rows = [row(1, {"name": "a", "version": 1}, model="x"), row(1, {"name": "b"}, 500, model="y")]
    log = write(tmp_path / "requests.jsonl", rows)

    (found,) = map(cohorts, ask(log, by=("template.name", "model = 'x'")))

    assert {key: group.bad[-2:] for key, group in found.groups.items()} == {
        ("a", "true"): (0.0, None),
        ("b", "false"): (1.0, None),
    }


def test_several_slos_are_distinguished_in_one_scan(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", ROWS)

    first, second, third = ask(
        log, FAILED, Sli(bad="status = 500", total="status <> 200"), Sli(bad="status >= 5000")
    )

    assert cohorts(first).groups[("v1",)].total[0] == 2
    assert set(cohorts(second).groups) == {("v1",), ("v2",)}
    assert {sum(filter(None, one.bad)) for one in cohorts(third).groups.values()} == {0}


def test_only_the_busiest_are_distinguished_and_one_that_was_requested(tmp_path: Path) -> None:
    rows = [row(1.5, f"user-{n}", 500) for n in range(30) for _ in range(1 + n // 29)]
    log = write(tmp_path / "requests.jsonl", rows)

    (found,) = map(cohorts, ask(log, most=1, keep="user-3"))

    assert set(found.groups) == {("user-29",), ("user-3",), (OTHERS,)}
    assert found.groups[(OTHERS,)].bad[1] == 28
    assert found.notes == (
        "only the 1 busiest of 30 values of template are compared; the others are one group",
    )


def test_a_second_label_is_cut_by_itself(tmp_path: Path) -> None:
    rows = [row(1.5, "v1", model=f"m{n}") for n in (1, 1, 2, 3)]

    (found,) = map(
        cohorts,
        ask(write(tmp_path / "requests.jsonl", rows), by=("template", "model"), most=1, keep="m2"),
    )

    assert set(found.groups) == {("v1", "m1"), ("v1", OTHERS)}


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("templat", 'no column "templat" in the logs; there are: template'),
        ("template.nam", "by: 'template.nam':"),
        ("count(*)", "by: 'count(*)'"),
        ("a b c", "by: 'a b c' is not a valid SQL expression"),
    ],
)
def test_what_rows_cannot_be_distinguished_by_is_named(
    tmp_path: Path, by: str, reason: str
) -> None:
    log = write(tmp_path / "requests.jsonl", ROWS)

    (found,) = ask(log, by=(by,))

    assert refused(found).startswith(reason)


def test_what_is_spent_or_not_there_has_no_groups(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", ROWS)

    spent, idle = ask(log, Sli(spent="status"), Sli(bad="status >= 500", total="status = 1"))
    (nothing,) = ask(write(tmp_path / "old.jsonl", [row(30, "v1")]))

    assert refused(spent) == "spend has no events to group"
    assert refused(idle, Cause.NO_TRAFFIC) == "no row in this time is an event"
    assert refused(nothing, Cause.NO_DATA) == "the logs have no row in the time"


def test_a_file_without_the_column_is_not_a_group_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROWS)
    write(tmp_path / "b.jsonl", [{"ts": before(60), "status": 500}])

    (found,) = ask(tmp_path / "*.jsonl")

    assert 'no column "template" in 1 of 2 files' in refused(found)


def test_rows_without_a_readable_time_spoil_it(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", [*ROWS, {**row(1, "v1"), "ts": "yesterday"}])

    (found,) = ask(log)

    assert isinstance(found, Unmeasured)
    assert "no readable timestamp" in found.reason


def test_nothing_is_read_for_no_request(tmp_path: Path) -> None:
    settings = LogsSettings(path="none", directory=tmp_path, records=Records(timestamp="ts"))
    teller = cohorts_of(open_backend(settings, Limits(timeout=DAY)))

    assert teller is not None
    assert teller.cohorts([]) == []
