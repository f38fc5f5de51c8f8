"""Which rows an SQL engine's block says are counted."""

from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.backends.records import Records, records_flaw
from gate.backends.sql.settings import (
    TABLE_FIELDS,
    TableSettings,
    table_parts,
    table_settings_of,
)
from gate.parsing.files import Folder, Imports
from gate.parsing.objects import Field, Object
from gate.parsing.reader import Reader, UnreadableError, compose
from gate.parsing.values import TEXT
from gate.slo.indicator import Sli

BLOCK = Object(
    {"type": Field(schema=TEXT, doc="Name of the backend."), **TABLE_FIELDS}, table_settings_of
)
OF_TABLES = Records(
    table='"LLM".spend', timestamp="at", time_zone=ZoneInfo("UTC"), backend="postgres"
)
OWN: dict[str, Any] = {
    "our-spend": SimpleNamespace(records=OF_TABLES),
    "our-files": SimpleNamespace(records=Records(timestamp="ts")),
    "our-metrics": SimpleNamespace(records=None),
    "unreadable": None,
}


def read(text: str) -> TableSettings:
    reader = Reader(file="gate.yaml", environ={}, imports=Imports(tree=Folder(Path())))
    reader.presets = OWN
    try:
        return BLOCK.read(compose(f"{{type: postgres, {text}}}", reader), reader)
    except UnreadableError:
        raise AssertionError(*(mistake.message for mistake in reader.mistakes)) from None


def test_a_table_and_its_time_are_enough() -> None:
    assert read("table: requests, timestamp: ts") == TableSettings(table="requests", timestamp="ts")


def test_a_block_may_say_all_that_is_known_of_the_rows() -> None:
    settings = read(
        "table: logs.requests, timestamp: created, time_zone: Europe/Berlin, time_format: unix-ms,"
        " where: project = 'chat', max_scan: 50GB"
    )

    assert settings == TableSettings(
        table="logs.requests",
        timestamp="created",
        time_zone=ZoneInfo("Europe/Berlin"),
        time_format="unix-ms",
        where="project = 'chat'",
        max_scan=50_000_000_000,
    )


def test_a_preset_names_the_table_and_its_time() -> None:
    assert read("records: our-spend") == TableSettings(
        table='"LLM".spend', timestamp="at", time_zone=ZoneInfo("UTC"), records="our-spend"
    )


def test_a_block_may_say_where_the_table_of_a_preset_is() -> None:
    settings = read(
        "records: our-spend, table: other.spend, where: team = 'a', time_zone: Asia/Tokyo"
    )

    assert settings == TableSettings(
        table="other.spend",
        timestamp="at",
        time_zone=ZoneInfo("Asia/Tokyo"),
        where="team = 'a'",
        records="our-spend",
    )


MISTAKES = [
    ("timestamp: ts", "the key 'table' is missing; add table: logs.requests, or records"),
    ("table: requests", "the key 'timestamp' is missing; add timestamp: created_at, or records"),
    ("records: our-spend, timestamp: ts", "remove timestamp, or records"),
    (
        "records: our-files",
        "the preset our-files reads rows for backend.type: logs; known: litellm-postgres",
    ),
    ("records: nginx", "the preset nginx reads rows for backend.type: logs"),
    ("records: vllm", "no preset knows the rows of 'vllm'"),
    ("records: our-metrics", "no preset knows the rows of 'our-metrics'"),
    ("records: our-spent", "no preset knows the rows of 'our-spent'; did you mean 'our-spend'?"),
    ("table: 'x; DROP TABLE y', timestamp: ts", "is not the name of a table; write requests or"),
    ("table: requests, timestamp: ts, time_format: '%Y'", "'%Y' is not a valid value"),
    ("table: requests, timestamp: ts, max_scan: 50", "add its unit, as in 50GB"),
    (
        "table: requests, timestamp: ts, where: team =",
        "where: 'team =', column 6: it is not a valid",
    ),
    ("table: requests, timestamp: ts, where: true) OR (true", "column 5: ) closes nothing"),
]


@pytest.mark.parametrize(("text", "mistake"), MISTAKES)
def test_a_mistake_in_a_block_says_what_to_write(text: str, mistake: str) -> None:
    with pytest.raises(AssertionError) as error:
        read(text)

    assert mistake in str(error.value)


def test_a_preset_that_cannot_be_read_is_not_a_second_mistake() -> None:
    with pytest.raises(AssertionError) as error:
        read("records: unreadable")

    assert error.value.args == ()


NAMES = [
    ("requests", ("requests",)),
    ("Requests", ("Requests",)),
    ("logs.requests", ("logs", "requests")),
    ("main.logs.requests_2", ("main", "logs", "requests_2")),
    ('"LiteLLM_SpendLogs"', ("LiteLLM_SpendLogs",)),
    ('public."LiteLLM_SpendLogs"', ("public", "LiteLLM_SpendLogs")),
    ("`my-project`.`logs`.requests", ("my-project", "logs", "requests")),
    ('"a.b"."c""d"', ("a.b", 'c"d')),
    ("`a``b`", ("a`b",)),
    ('"; DROP TABLE x; --"', ("; DROP TABLE x; --",)),
    ('"größe"', ("größe",)),
]


@pytest.mark.parametrize(("text", "parts"), NAMES)
def test_the_name_of_a_table_has_parts(text: str, parts: tuple[str, ...]) -> None:
    assert table_parts(text) == parts


def test_a_part_without_quotes_is_folded_as_the_engine_does_it() -> None:
    assert table_parts('Public."Mixed"', str.lower) == ("public", "Mixed")


NO_NAMES = [
    *("", " ", ".", "requests.", ".requests", "a..b", "a.b.c.d", "a b", "a, b", "requests r"),
    *("requests; DROP TABLE x", "requests--", "requests/**/", "(SELECT 1)", "file('/etc/passwd')"),
    *("requests FINAL", "größe", "1requests", '"unclosed', '""', "``", '"a""', "'requests'"),
    *("my-schema.requests", "$1", "requests\n", '"a"b', 'a"b"', "re\x00quests", '"a\x00b"'),
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_not_a_name_of_a_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a table"):
        table_parts(text)


FLAWS = [
    ("logs", Records(timestamp="ts"), None),
    ("logs", Records(timestamp="ts", table="t"), "the key 'table' is for SQL engines; remove it"),
    ("postgres", Records(timestamp="ts", table="t"), None),
    ("postgres", Records(timestamp="ts"), "the key 'table' is missing"),
    ("postgres", Records(timestamp="ts", table="t", format="csv"), "'format' is for files; remove"),
    (
        "postgres",
        Records(timestamp="ts", table="t", columns={"a": "JSON"}),
        "'columns' is for files",
    ),
]


@pytest.mark.parametrize(("backend", "records", "flaw"), FLAWS)
def test_what_a_preset_says_of_rows_fits_its_backend(
    backend: str, records: Records, flaw: str | None
) -> None:
    said = records_flaw(records, backend)

    assert said == flaw if flaw is None else flaw in (said or "")


WRONG_SLIS = [
    (Sli(bad="status >="), "bad: 'status >=', column 9: it is not a valid SQL expression"),
    (Sli(good="ok", total="now() > ts"), "total: 'now() > ts', column 1: now() is not among"),
    (Sli(spent="sum(cost)"), "spent: 'sum(cost)', column 1: sum() is about many rows"),
    (Sli(column="latency", threshold=Fraction(2), total="ok;"), "total: 'ok;', column 3"),
]


@pytest.mark.parametrize("dialect", ["clickhouse", "postgres", "spark"])
@pytest.mark.parametrize(("sli", "mistake"), WRONG_SLIS)
def test_what_is_wrong_with_an_expression_shows_without_a_server(
    dialect: str, sli: Sli, mistake: str
) -> None:
    said = registration_of(dialect).mistake_in(sli, None)

    assert mistake in (said or "")


@pytest.mark.parametrize("dialect", ["clickhouse", "postgres", "spark"])
def test_an_expression_that_is_right_has_no_mistake(dialect: str) -> None:
    for sli in (Sli(bad="status >= 500"), Sli(column="latency", threshold=Fraction(2))):
        assert registration_of(dialect).mistake_in(sli, None) is None


def test_without_sqlglot_nothing_is_reported_about_an_expression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gate.backends.sql.settings.find_spec", lambda _: None)

    assert registration_of("spark").mistake_in(Sli(bad="status >="), None) is None


def registration_of(dialect: str) -> Any:
    return import_module(f"gate.backends.{dialect}").REGISTRATION
