"""Rows told apart by whatever columns there are."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.measure import Cause, Limits, Unmeasured
from gate.measure.capabilities import labels_of
from gate.measure.cohorts import LabelAnswer, LabelCounts, LabelRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.written import AT, FAILED, before, write

HOUR = timedelta(hours=1)
DAY = Span(AT - 24 * HOUR, AT)
OUTAGE = Span(AT - 3 * HOUR, AT - 2 * HOUR)


def ask(path: Path, *slis: Sli, spans: tuple[Span, ...] = (DAY, OUTAGE), most: int = 20) -> Any:
    return answers(path, slis or (FAILED,), spans, most)[0]


def answers(
    path: Path, slis: Sequence[Sli], spans: tuple[Span, ...] = (DAY,), most: int = 20
) -> list[LabelAnswer]:
    settings = LogsSettings(path=path.name, directory=path.parent, records=Records(timestamp="ts"))
    backend = labels_of(open_backend(settings, Limits(timeout=timedelta(seconds=60))))
    assert backend is not None
    return backend.label_counts([LabelRequest(sli=sli, spans=spans, most=most) for sli in slis])


def rows() -> list[dict[str, Any]]:
    """A request each minute of a day; of the outage all of gpt-x fail, and a few at any time."""
    return [
        {
            "ts": before(60 * place + 30),
            "status": 503
            if 120 <= place < 180 and place % 3 == 0
            else 429
            if place % 40 == 1
            else 200,
            "model": ("gpt-x", "llama", "mist")[place % 3],
            "stream": place % 2 == 0,
            "tenant": f"t{place % 100}",
            "request_id": f"r{place}",
            "latency": place / 7,
        }
        for place in range(24 * 60)
    ]


def text(value: object) -> str:
    """Write a value as SQL does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_each_value_of_each_column_has_its_events_in_each_span(tmp_path: Path, form: str) -> None:
    written = rows()
    counts = ask(write(tmp_path / f"log.{form}", written))

    assert isinstance(counts, LabelCounts)
    assert set(counts.labels) == {"status", "model", "stream"}
    for label in ("status", "model", "stream"):
        for value, (day, outage) in counts.labels[label].items():
            own = [(at, row) for at, row in enumerate(written) if text(row[label]) == value]
            within = [row for at, row in own if 120 <= at < 180]
            assert tuple(day) == (len(own), sum(row["status"] >= 500 for _, row in own))
            assert tuple(outage) == (len(within), sum(row["status"] >= 500 for row in within))
    assert counts.labels["model"]["gpt-x"][1] == (20, 20)


def test_what_has_too_many_values_is_left_out_with_their_number(tmp_path: Path) -> None:
    counts = ask(write(tmp_path / "log.jsonl", rows()))

    assert counts.left_out == {"tenant": 100, "latency": 1440}
    assert "tenant" in ask(write(tmp_path / "log.jsonl", rows()), most=100).labels


def test_a_column_whose_values_come_later_than_the_sample_is_left_out_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.backends.sql.breakdown._SAMPLE", 10)
    written = [
        row | {"late": "" if place < 10 else f"v{place}"} for place, row in enumerate(rows())
    ]

    counts = ask(write(tmp_path / "log.parquet", written))

    assert counts.left_out["late"] == 1431


def test_combinations_beyond_what_memory_should_hold_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.backends.sql.breakdown._MOST_GROUPS", 6)

    counts = ask(write(tmp_path / "log.jsonl", rows()))

    assert set(counts.labels) == {"stream", "status"}
    assert counts.left_out["model"] == 3


def test_rows_without_a_value_are_a_group_of_their_own(tmp_path: Path) -> None:
    written = [
        row | {"model": row["model"] if place % 3 else None} for place, row in enumerate(rows())
    ]

    counts = ask(write(tmp_path / "log.jsonl", written))

    assert counts.labels["model"][""][1] == (20, 20)


def test_what_cannot_be_counted_is_reported_as_of_any_count(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", rows())
    spent, wrong, right = answers(path, [Sli(spent="latency"), Sli(bad="nothing > 1"), FAILED])

    assert isinstance(spent, Unmeasured)
    assert spent.reason == "spend has no events to group"
    assert isinstance(wrong, Unmeasured)
    assert wrong.cause is Cause.INVALID
    assert isinstance(right, LabelCounts)
    assert isinstance(answers(path, [Sli(spent="latency")])[0], Unmeasured)


def test_a_row_whose_time_cannot_be_read_spoils_it(tmp_path: Path) -> None:
    written = [*rows(), {"ts": None, "status": 200, "model": "gpt-x"}]

    answer = ask(write(tmp_path / "log.jsonl", written))

    assert isinstance(answer, Unmeasured)


def test_a_column_that_a_file_lacks_is_not_a_label(tmp_path: Path) -> None:
    some, others = rows()[:700], [{**row, "route": "/a"} for row in rows()[700:]]
    write(tmp_path / "log1.jsonl", [{**row, "region": "eu"} for row in some])
    write(tmp_path / "log2.jsonl", others)

    counts = ask(tmp_path / "log*.jsonl")

    assert {"region", "route"}.isdisjoint(counts.labels)
    assert "model" in counts.labels


def test_an_indicator_whose_column_a_file_lacks_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "log1.jsonl", [{**row, "failed": False} for row in rows()[:700]])
    write(tmp_path / "log2.jsonl", rows()[700:])

    answer = ask(tmp_path / "log*.jsonl", Sli(bad="failed"))

    assert isinstance(answer, Unmeasured)
    assert "failed" in answer.reason


def test_a_log_of_times_alone_has_no_labels(tmp_path: Path) -> None:
    counts = ask(
        write(tmp_path / "log.jsonl", [{"ts": before(30)}, {"ts": before(60)}]), Sli(bad="false")
    )

    assert counts == LabelCounts(labels={})
