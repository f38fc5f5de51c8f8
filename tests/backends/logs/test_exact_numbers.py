"""Whole numbers that a double cannot tell apart, in every format, early or late in the file."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.slo.indicator import Sli
from tests.backends.logs.written import (
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    spent,
    watch,
    write,
    write_parquet,
)

EDGE = 2**53
"""As doubles this and the next are one number."""


def rows_of(*values: Any) -> list[dict[str, Any]]:
    return [{"ts": before(1), "n": value, "status": 200} for value in values]


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("first", [1, 45_000])
def test_numbers_above_2_to_the_53_are_distinguished(tmp_path: Path, form: str, first: int) -> None:
    rows = rows_of(*[7] * first, EDGE, EDGE + 1, EDGE + 2)
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        write_parquet(log, rows, {"n": "BIGINT"})
    else:
        write(log, rows)

    answers = ask_all(
        log,
        [
            request(Sli(bad=f"n = {EDGE + 1}")),
            request(Sli(column="n", threshold=Fraction(EDGE))),
            request(Sli(spent="n")),
            request(Sli(bad="status >= 500")),
        ],
    )

    assert counts(answers[0]) == (first + 3, 1)
    assert counts(answers[1]) == (first + 3, 2)
    assert spent(answers[2]).amount == 7 * first + 3 * EDGE + 3
    assert counts(answers[3]) == (first + 3, 0)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("value", [2**63 + 1, 2**64 + 1, 10**30 + 1])
def test_numbers_above_64_bits_are_too(tmp_path: Path, form: str, value: int) -> None:
    log = write(tmp_path / f"a.{form}", rows_of(value - 1, value, None))

    assert counts(ask(log, Sli(bad=f"coalesce(n = {value}, false)"))) == (3, 1)


@pytest.mark.parametrize(("kind", "value"), [("UBIGINT", 2**64 - 1), ("DECIMAL(38,0)", 2**60 + 1)])
def test_parquet_has_them_in_its_own_types(tmp_path: Path, kind: str, value: int) -> None:
    rows = rows_of(str(value - 1), str(value))
    log = write_parquet(
        tmp_path / "a.parquet", rows, {"n": kind} if kind == "UBIGINT" else {"n": "DECIMAL(38,0)"}
    )

    assert counts(ask(log, Sli(bad=f"n = {value}"))) == (2, 1)
    assert counts(ask(log, Sli(column="n", threshold=Fraction(value - 1)))) == (2, 1)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("first", [1, 45_000])
def test_large_numbers_with_a_fraction_or_an_exponent_are_doubles(
    tmp_path: Path, form: str, first: int
) -> None:
    log = tmp_path / f"a.{form}"
    values = [*["1.5"] * first, "1e20", "1e300"]
    if form == "csv":
        log.write_text("ts,n\n" + "".join(f"{before(1)},{value}\n" for value in values))
    else:
        log.write_text("".join(f'{{"ts": "{before(1)}", "n": {value}}}\n' for value in values))

    assert counts(ask(log, Sli(bad="n >= 1e20"))) == (first + 2, 2)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_fraction_among_large_whole_numbers_is_an_error_and_is_not_rounded(
    tmp_path: Path, form: str
) -> None:
    log = write(tmp_path / f"a.{form}", rows_of(*[EDGE + 1] * 45_000, 2000.4))

    answers = ask_all(log, [request(Sli(bad="n = 2000")), request(Sli(bad="status >= 500"))])

    if form == "csv":  # its first rows show that the numbers are large
        assert "a value in the logs does not fit" in refused(answers[0])
    else:
        assert counts(answers[0]) == (45_001, 0)
    assert counts(answers[1]) == (45_001, 0)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_small_numbers_are_read_once(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    watch(monkeypatch, lambda _, sql: statements.append(sql))
    log = write(tmp_path / f"a.{form}", rows_of(1, 2, EDGE - 1))

    assert counts(ask(log, Sli(bad=f"n = {EDGE - 1}"))) == (3, 1)
    assert len([sql for sql in statements if sql.startswith("SELECT _k0")]) == 1


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_truth_values_as_text_are_conditions(tmp_path: Path, form: str, text: str) -> None:
    rows = [
        {"ts": before(1), "failed": value} for value in (text, text.replace("rue", "rue"), "false")
    ]
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        write_parquet(log, rows, {"failed": "VARCHAR"})
    else:
        write(log, rows)

    assert counts(ask(log, Sli(bad="failed"))) == (3, 2)
    assert counts(ask(log, Sli(good="failed"))) == (3, 1)
    either = Sli(bad="failed = 'true' OR failed = 'True' OR failed = 'TRUE'")
    assert counts(ask(log, either)) == (3, 2)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_text_that_is_not_a_truth_value_is_an_error(tmp_path: Path, form: str) -> None:
    rows = [{"ts": before(1), "failed": value} for value in ("true", "broken")]

    reason = refused(ask(write(tmp_path / f"a.{form}", rows), Sli(bad="failed")))

    assert "a value in the logs does not fit" in reason
    assert "broken" not in reason


def nested(*values: Any) -> list[dict[str, Any]]:
    return [
        {"ts": before(1), "usage": {"n": value, "deep": {"id": value, "share": 0.5}}, "status": 200}
        for value in values
    ]


@pytest.mark.variants(1)
@pytest.mark.parametrize("first", [1, 45_000])
@pytest.mark.parametrize("column", ["usage.n", "usage.deep.id"])
def test_numbers_within_columns_are_exact(tmp_path: Path, column: str, first: int) -> None:
    log = write(tmp_path / "a.jsonl", nested(*[7] * first, EDGE, EDGE + 1, EDGE + 2))

    answers = ask_all(
        log,
        [
            request(Sli(bad=f"{column} = {EDGE + 1}")),
            request(Sli(spent=column)),
            request(Sli(bad="usage.deep.share > 0.4")),
        ],
    )

    assert counts(answers[0]) == (first + 3, 1)
    assert spent(answers[1]).amount == 7 * first + 3 * EDGE + 3
    assert counts(answers[2]) == (first + 3, first + 3)


def test_large_numbers_within_columns_that_are_not_all_whole_are_doubles(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", nested(EDGE, 1.5, 1e300, None))

    assert counts(ask(log, Sli(bad="coalesce(usage.n = 1.5, false)"))) == (4, 1)
    assert counts(ask(log, Sli(bad="coalesce(usage.deep.id > 1e200, false)"))) == (4, 1)


def test_small_numbers_within_columns_are_read_once(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", nested(1, 2, 2.5))

    assert counts(ask(log, Sli(bad="usage.n > 2"))) == (3, 1)


def test_numbers_in_the_items_of_a_document_are_exact(tmp_path: Path) -> None:
    rows = [*rows_of(EDGE, EDGE + 1), *nested(EDGE, EDGE + 1)]
    log = tmp_path / "a.json"
    log.write_text(json.dumps({"data": rows}), encoding="utf-8")

    assert counts(ask(log, Sli(bad=f"coalesce(n = {EDGE + 1}, false)"))) == (4, 1)
    assert counts(ask(log, Sli(bad=f"coalesce(usage.n = {EDGE + 1}, false)"))) == (4, 1)


PLACES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a list": (lambda n: [7, n], "list_contains(deep, {})"),
    "an item": (lambda n: [n, None], "deep[1] = {}"),
    "an object in a list": (lambda n: [{"id": n, "share": 0.5}], "deep[1].id = {}"),
    "a list in an object": (lambda n: {"ids": [n]}, "list_contains(deep.ids, {})"),
    "a list in a list": (lambda n: [[1], [n]], "deep[2][1] = {}"),
    "a list in objects in a list": (lambda n: [{"ids": [n]}], "deep[1].ids[1] = {}"),
}
"""Values with a number somewhere within, and a condition that is true of this number."""


@pytest.mark.crossed
@pytest.mark.parametrize("value", [EDGE + 1, 2**64 + 1, 10**30 + 1])
@pytest.mark.parametrize("place", PLACES)
def test_numbers_in_lists_are_exact(tmp_path: Path, place: str, value: int) -> None:
    within, condition = PLACES[place]
    values = [7, value - 1, value, value + 1]
    log = write(tmp_path / "a.jsonl", [{"ts": before(1), "deep": within(n)} for n in values])

    assert counts(ask(log, Sli(bad=condition.format(value)))) == (4, 1)


@pytest.mark.slow
def test_large_numbers_in_lists_late_in_a_file_are_exact(tmp_path: Path) -> None:
    values = [*[7] * 45_000, EDGE, EDGE + 1]
    log = write(tmp_path / "a.jsonl", [{"ts": before(1), "ids": [n]} for n in values])

    assert counts(ask(log, Sli(bad=f"list_contains(ids, {EDGE + 1})"))) == (45_002, 1)


def test_numbers_under_keys_that_differ_from_row_to_row_are_exact(tmp_path: Path) -> None:
    rows = [
        {"ts": before(1), "by_model": {f"model {n}": 1, "all": EDGE + n % 2}} for n in range(1000)
    ]
    log = write(tmp_path / "a.jsonl", rows)

    condition = f"coalesce(by_model['all'] = {EDGE + 1}, false)"
    assert counts(ask(log, Sli(bad=condition))) == (1000, 500)


@pytest.mark.variants(3)
@pytest.mark.parametrize("values", [[EDGE, 1.5], [1e300], [], [None], None])
def test_lists_of_numbers_that_are_not_all_whole_are_doubles(tmp_path: Path, values: Any) -> None:
    rows = [{"ts": before(1), "list": each} for each in (values, [2.5, 3])]
    log = write(tmp_path / "a.jsonl", rows)

    assert counts(ask(log, Sli(bad="coalesce(list[1] = 2.5, false)"))) == (2, 1)
    assert counts(ask(log, Sli(bad="coalesce(len(list), 0) = 2"))) == (
        2,
        1 + (values is not None and len(values) == 2),
    )


def test_a_sum_of_large_numbers_in_lists_is_exact(tmp_path: Path) -> None:
    rows = [{"ts": before(1), "tokens": [EDGE + 1, -EDGE]}] * 3
    log = write(tmp_path / "a.jsonl", rows)

    assert spent(ask(log, Sli(spent="list_sum(tokens)"))).amount == 3
