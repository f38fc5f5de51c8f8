"""Rows of a table are counted by one statement, whatever engine has the table."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from typing import Any, Final

import pytest

from gate.backends.sql.doctor import SqlDoctor
from gate.backends.sql.engine import ScanSize
from gate.backends.sql.groups import float_sum
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.measure.capabilities import PastRun
from gate.measure.cohorts import CohortRequest, Cohorts, LabelCounts, LabelRequest
from gate.measure.diagnosis import Check, CheckedSlo, Level
from gate.measure.history import Measured, Series, SeriesRequest
from gate.measure.pairing import PairRequest, Pairs
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.sql.tables import (
    AT,
    BERLIN,
    MINUTE,
    DuckTable,
    Table,
    backend,
    settings,
    table_of,
)

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
FAILED: Final = Sli(bad="status >= 500")
TYPES: Final = {
    "ts": "TIMESTAMPTZ",
    "status": "INTEGER",
    "ms": "DOUBLE",
    "cost": "DECIMAL(12, 4)",
    "tokens": "DOUBLE",
    "model": "VARCHAR",
    "arm": "VARCHAR",
    "request_id": "VARCHAR",
}


def rows(minutes: int = 48 * 60) -> list[dict[str, Any]]:
    """Return a request a minute, the newest at `AT`; each tenth failed, each third is of llama."""
    return [
        {
            "ts": AT - number * MINUTE,
            "status": 500 if number % 10 == 3 else 200,
            "ms": float(number % 100),
            "cost": Decimal("0.0001"),
            "tokens": 0.1,
            "model": "llama" if number % 3 == 0 else "gpt",
            "arm": "candidate" if number % 2 == 0 else "against",
            "request_id": f"r{number // 2}",
        }
        for number in reversed(range(minutes))
    ]


@pytest.fixture(scope="module")
def shared() -> Table:
    return table_of(rows(), **TYPES)


@pytest.fixture
def table(shared: Table) -> Table:
    shared.statements.clear()
    shared.size = shared.read = None
    return shared


def request(sli: Sli = FAILED, window: timedelta = DAY, **more: Any) -> CountRequest:
    return CountRequest(sli=sli, span=Span(AT - window, AT), **more)


def counted(answer: Answer) -> tuple[int, int]:
    assert isinstance(answer, Counts), answer
    assert answer.total.denominator == answer.bad.denominator == 1
    return answer.total.numerator, answer.bad.numerator


def refused(answer: object, cause: Cause = Cause.INVALID) -> str:
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause
    return answer.reason


def test_all_slos_and_windows_are_one_statement_that_creates_nothing(table: Table) -> None:
    slices = Slices(length=HOUR, target=Fraction(95, 100))
    requests = [
        request(probe=True),
        request(window=HOUR),
        request(Sli(column="ms", threshold=Fraction(89)), probe=True),
        request(Sli(bad="status >= 500", total="model = 'llama'")),
        request(slices=slices),
        request(Sli(spent="cost"), amount=True, probe=True),
        request(Sli(spent="tokens"), amount=True),
    ]
    whole, hour, slow, llama, hours, cost, tokens = backend(table).measure(requests, AT)

    assert counted(whole) == (1440, 144)
    assert counted(hour) == (60, 6)
    assert counted(slow) == (1440, sum(number % 100 > 89 for number in range(1440)))
    assert counted(llama) == (480, 48)
    assert counted(hours) == (24, 24)  # each has 10% of failures, where 5% may fail
    assert isinstance(cost, Spent)
    assert isinstance(tokens, Spent)
    assert [cost.amount, tokens.amount] == [Fraction(144, 1000), 144]
    assert isinstance(whole, Counts)
    assert whole.evidence.newest == AT
    assert whole.evidence.coverage == 1
    assert len(table.scans) == 1
    assert table.scans[0].startswith("SELECT")
    assert table.opened == table.closed


def test_the_query_of_the_evidence_gives_the_same_numbers(table: Table) -> None:
    queried = [request(), request(Sli(spent="cost"), amount=True)]
    whole, cost = backend(table, where="model = 'llama'").measure(queried, AT)

    assert isinstance(whole, Counts)
    assert table.connection.execute(whole.evidence.query).fetchall() == [(480, 48)]
    assert isinstance(cost, Spent)
    assert table.connection.execute(cost.evidence.query).fetchall() == [(Decimal("0.0480"),)]
    assert counted(whole) == (480, 48)


@pytest.mark.parametrize(
    ("kind", "value", "more"),
    [
        ("BIGINT", lambda at: int(at.timestamp()), {"time_format": "unix-s"}),
        ("BIGINT", lambda at: int(at.timestamp()) * 1000, {"time_format": "unix-ms"}),
        ("BIGINT", lambda at: int(at.timestamp()) * 10**6, {"time_format": "unix-us"}),
        ("BIGINT", lambda at: int(at.timestamp()) * 10**9, {"time_format": "unix-ns"}),
        ("TIMESTAMP", lambda at: at.astimezone(BERLIN).replace(tzinfo=None), {"time_zone": BERLIN}),
    ],
)
def test_a_time_may_be_a_number_or_a_wall_clock(
    kind: str, value: Any, more: Mapping[str, Any]
) -> None:
    logged = [{**row, "ts": value(row["ts"])} for row in rows(180)]
    table = table_of(logged, **{**TYPES, "ts": kind})

    answers = backend(table, **more).measure([request(window=HOUR), request(window=2 * HOUR)], AT)

    assert [counted(answer) for answer in answers] == [(60, 6), (120, 12)]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (
            "BIGINT",
            {},
            'the column "ts" is of type BIGINT; set time_format to what it counts: unix-s',
        ),
        (
            "VARCHAR",
            {},
            'the column "ts" is of type VARCHAR, which has no time; name a column of a',
        ),
        (
            "TIMESTAMPTZ",
            {"time_format": "unix-s"},
            'and "ts" is TIMESTAMP WITH TIME ZONE; leave it',
        ),
        ("TIMESTAMP", {}, 'the times in "ts" carry no time zone; set the backend\'s time_zone'),
        (
            "TIMESTAMPTZ",
            {"timestamp": "tss"},
            'no column "tss" in the table; there are: ts, status',
        ),
        (
            "TIMESTAMPTZ",
            {"where": "status"},
            "where: 'status' is of type INTEGER; a condition is exp",
        ),
        ("TIMESTAMPTZ", {"where": "mdel = 'x'"}, 'no column "mdel" in the table; there are: model'),
        (
            "TIMESTAMPTZ",
            {"where": "model * 2 > 5"},
            "where: 'model * 2 > 5': DuckDB says BinderException (model is VARCHAR)",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_an_error_that_says_what_to_do(
    kind: str, more: Mapping[str, Any], words: str
) -> None:
    table = table_of([], **{**TYPES, "ts": kind})

    for answer in backend(table, **more).measure([request(), request(window=HOUR)], AT):
        assert words in refused(answer)
    assert table.opened == table.closed


def test_a_table_that_is_not_there_is_an_error(table: Table) -> None:
    (answer,) = backend(table, table="request").measure([request()], AT)

    assert refused(answer, Cause.BACKEND_ERROR) == "there is no such table"


@pytest.mark.parametrize(("lost", "words"), [(1, "1 row has"), (2, "2 rows have")])
def test_rows_without_a_time_spoil_the_count(lost: int, words: str) -> None:
    table = table_of([*rows(100), *({"status": 500} for _ in range(lost))], **TYPES)

    (answer,) = backend(table).measure([request()], AT)

    assert refused(answer).startswith(f'{words} no time in "ts"; correct them, or leave them out')
    (answer,) = backend(table, where="ts IS NOT NULL").measure([request()], AT)
    assert counted(answer) == (100, 10)


def test_an_empty_table_has_no_data_and_no_zero() -> None:
    table = table_of([], **TYPES)
    requests = [request(probe=True), request(Sli(spent="cost"), amount=True)]

    for answer in backend(table).measure(requests, AT):
        assert refused(answer, Cause.NO_DATA).startswith("the table has no row between")
    (series,) = backend(table).history([SeriesRequest(sli=FAILED, span=request().span, step=HOUR)])
    assert isinstance(series, Series)
    assert set(series.total) == {None}


@pytest.mark.parametrize(
    ("sli", "words"),
    [
        (Sli(bad="statu >= 500"), 'no column "statu" in the table; there are: status'),
        (Sli(bad="status"), "bad: 'status' is of type INTEGER; a condition is expected"),
        (Sli(spent="model"), "spent: 'model' is of type VARCHAR; a number is expected"),
        (Sli(spent="status >= 500"), "spent: 'status >= 500' is true or false; a number is"),
        (Sli(column="model", threshold=Fraction(1)), 'column "model" is of type VARCHAR; a thres'),
        (Sli(bad="status >= (SELECT 1)"), "bad: 'status >= (SELECT 1)'"),
        (Sli(bad="CAST(model AS INTEGER) > 5"), "DuckDB says ConversionException"),
    ],
)
def test_what_spoils_one_indicator_spoils_no_other(table: Table, sli: Sli, words: str) -> None:
    amount = sli.spent is not None
    spoilt, sound, again = backend(table).measure(
        [request(sli, amount=amount), request(), request(sli, amount=amount)], AT
    )

    assert words in refused(spoilt)
    assert words in refused(again)
    assert counted(sound) == (1440, 144)


def test_nothing_is_read_where_the_engine_expects_too_much(table: Table) -> None:
    table.size = ScanSize(bytes=2_000_000_000, exact=False)
    (answer,) = backend(table, max_scan=1_000_000_000).measure([request()], AT)

    assert refused(answer, Cause.BACKEND_ERROR) == (
        "the statement would read about 2 GB, and max_scan allows 1 GB; choose a shorter window, or"
        " raise max_scan"
    )
    assert table.scans == []
    table.size = ScanSize(bytes=1_000_000_001, exact=True)
    (answer,) = backend(table, max_scan=1_000_000_000).measure([request()], AT)
    assert "would read 1 GB, and" in refused(answer, Cause.BACKEND_ERROR)
    for size in (ScanSize(bytes=1_000_000_000, exact=True), None):
        table.size = size
        (answer,) = backend(table, max_scan=1_000_000_000).measure([request()], AT)
        assert counted(answer) == (1440, 144)
    table.size = ScanSize(bytes=1_000_000_001, exact=True)
    (answer,) = backend(table).measure([request()], AT)
    assert counted(answer) == (1440, 144)


def test_what_the_engine_has_read_is_a_note(table: Table) -> None:
    table.read = 1_340_000_000
    (answer,) = backend(table).measure([request()], AT)

    assert isinstance(answer, Counts)
    assert answer.evidence.notes == ("Duck read 1.34 GB",)


def test_a_history_adds_up_to_the_count(table: Table) -> None:
    span = Span(AT - DAY, AT)
    requests = [
        SeriesRequest(sli=FAILED, span=span, step=HOUR),
        SeriesRequest(
            sli=Sli(column="ms", threshold=Fraction(50)), span=span, step=HOUR, mean=True
        ),
        SeriesRequest(sli=Sli(spent="tokens"), span=span, step=HOUR, amount=True),
    ]
    failed, slow, tokens = backend(table).history(requests)

    assert isinstance(failed, Series)
    assert [*failed.total] == [60] * 24
    assert [*failed.bad] == [6] * 24
    assert isinstance(slow, Series)
    assert isinstance(slow.measured, Measured)
    assert sum(number or 0 for number in slow.measured.sums) == sum(
        number % 100 for number in range(1440)
    )
    assert isinstance(tokens, Series)
    assert [*tokens.total] == [6] * 24
    assert len(table.scans) == 1


@pytest.mark.parametrize(("before", "known"), [(1, 24), (0, 12)])
def test_silence_before_the_first_row_is_known_where_there_are_older_rows(
    before: int, known: int
) -> None:
    logged = [row for row in rows() if row["ts"] > AT - 12 * HOUR]
    logged += [{**logged[0], "ts": AT - 20 * DAY}] * before
    table = table_of(logged, **TYPES)

    (series,) = backend(table).history([SeriesRequest(sli=FAILED, span=request().span, step=HOUR)])

    assert isinstance(series, Series)
    assert sum(total is not None for total in series.total) == known


@pytest.mark.variants(1)
@pytest.mark.parametrize(("later", "known"), [(DAY, True), (None, False)])
def test_silence_after_the_newest_row_is_known_where_there_are_later_rows(
    later: timedelta | None, known: bool
) -> None:
    logged = [{"ts": AT - (3 + number) * HOUR, "status": 200} for number in range(2000)]
    logged += [{"ts": AT + later, "status": 200}] if later else []
    table = table_of(logged, **TYPES)

    (series,) = backend(table).history([SeriesRequest(sli=FAILED, span=request().span, step=HOUR)])

    assert isinstance(series, Series)
    assert (series.total[-1] is not None) == known


def test_a_time_without_any_row_is_reported_by_the_rows_beside_it() -> None:
    table = table_of([{"ts": AT - 20 * DAY, "status": 200}], **TYPES)
    wanted = SeriesRequest(sli=FAILED, span=request().span, step=HOUR, max_age=timedelta(days=30))

    (series,) = backend(table).history([wanted])

    assert isinstance(series, Series)
    assert series.total == (0,) * 24


def test_labels_cohorts_and_pairs_are_reported(table: Table) -> None:
    span = Span(AT - DAY, AT)
    sql = backend(table)
    (cohorts,) = sql.cohorts(
        [CohortRequest(sli=FAILED, span=span, step=DAY, by=("model",), most=5, keep=None)]
    )
    (labels,) = sql.label_counts([LabelRequest(sli=FAILED, spans=(span,), most=5)])
    (pairs,) = sql.pairs(
        [
            PairRequest(
                sli=FAILED,
                span=span,
                step=DAY,
                by="arm",
                candidate="candidate",
                against="against",
                pair_by="request_id",
            )
        ]
    )

    assert isinstance(cohorts, Cohorts)
    assert {by: (cohort.total, cohort.bad) for by, cohort in cohorts.groups.items()} == {
        ("llama",): ((480.0,), (48.0,)),
        ("gpt",): ((960.0,), (96.0,)),
    }
    assert isinstance(labels, LabelCounts)
    assert {name: sorted(values) for name, values in labels.labels.items()} == {
        "model": ["gpt", "llama"],
        "arm": ["against", "candidate"],
        "status": ["200", "500"],
        "tokens": ["0.1"],
    }
    assert isinstance(pairs, Pairs)
    # The request failed whose number ends with 3, which is odd: that of the original.
    assert (pairs.total, pairs.worst.against_only, pairs.worst.both) == ((720,), (144,), (0,))
    assert len([sql for sql in table.scans if "_k0" in sql]) == 3


def test_many_runs_are_one_statement(table: Table) -> None:
    instants = [AT - number * timedelta(minutes=17) for number in range(20)]
    runs = [
        PastRun(requests=(CountRequest(sli=FAILED, span=Span(at - DAY, at)),), at=at)
        for at in instants
    ]
    logged = {row["ts"]: row["status"] for row in rows()}

    answers = backend(table).measure_past(runs)

    assert [counted(answer) for (answer,) in answers] == [
        (
            sum(at - DAY < ts <= at for ts in logged),
            sum(at - DAY < ts <= at and status >= 500 for ts, status in logged.items()),
        )
        for at in instants
    ]
    assert len(table.scans) == 1


@pytest.mark.parametrize(
    ("values", "together"),
    [
        ([0.1] * 10, 1.0),
        ([1e308, 1e308], inf),
        ([inf, 1.0], inf),
        ([inf, -inf], nan),
        ([nan, 1.0], nan),
        ([], 0.0),
    ],
)
def test_floats_add_up_whatever_they_are(values: list[float], together: float) -> None:
    assert repr(float_sum(values)) == repr(together)


@pytest.mark.variants(1)
@pytest.mark.parametrize("windows", [(DAY,), (DAY, 2 * DAY)])
def test_a_column_of_many_values_does_not_say_what_a_condition_misses(
    windows: tuple[timedelta, ...],
) -> None:
    # Bad ones stop, and since then each row has a value of its own.
    logged = [
        {**row, "model": "bad" if number % 5 == 0 else "good"}
        if row["ts"] < AT - 12 * HOUR
        else {**row, "model": f"m{number}"}
        for number, row in enumerate(rows())
    ]
    wanted = [request(Sli(bad="model = 'bad'"), window, probe=True) for window in windows]

    for answer in backend(table_of(logged, **TYPES)).measure(wanted, AT):
        assert isinstance(answer, Counts)
        assert answer.evidence.suspicions == ()


def doctor(table: Table, /, **more: Any) -> SqlDoctor:
    return SqlDoctor(lambda: DuckTable(table), settings(**more), Limits(timeout=MINUTE))


def checked(sli: Sli = FAILED, window: timedelta = DAY) -> CheckedSlo:
    return CheckedSlo(
        name="a",
        request=request(sli, window, probe=True),
        whole=window,
        max_age=HOUR,
        min_coverage=Fraction(9, 10),
    )


def test_the_doctor_finds_nothing_in_a_healthy_table() -> None:
    logged = [{**row, "request_id": str(number)} for number, row in enumerate(rows())]
    diagnosis = doctor(table_of(logged, **TYPES)).examine([checked()], AT)

    everything = (*diagnosis.backend, *diagnosis.slos[0])
    assert [one for one in everything if one.level is not Level.OK] == []
    assert {one.check for one in diagnosis.backend} == {
        *(Check.VERSION, Check.FRESHNESS, Check.CLOCK, Check.REPEATS)
    }


def test_the_doctor_tells_of_repeats_the_future_and_days_without_rows() -> None:
    logged = [row for row in rows() if not AT - 30 * HOUR < row["ts"] <= AT - 2 * HOUR]
    logged += [{**logged[0], "ts": datetime.now(AT.tzinfo) + DAY}]
    diagnosis = doctor(table_of(logged, **TYPES)).examine([checked(window=2 * DAY)], AT)

    levels = {one.check: one.level for one in diagnosis.backend}
    assert levels[Check.CLOCK] is levels[Check.REPEATS] is Level.DOUBT
    gaps = [one for one in diagnosis.slos[0] if one.check is Check.GAPS]
    # Each of the three days has rows, but not each hour.
    (hole,) = [one for one in gaps if one.level is Level.DOUBT]
    assert hole.message.startswith("the table has no row from 2026-10-30 06:00 to 2026-10-31 10:00")
    assert hole.remedy.startswith("see why the table has no rows of that time")


def test_the_doctor_says_why_nothing_could_be_checked(table: Table) -> None:
    diagnosis = doctor(table, table="request").examine([checked()], AT)

    assert [one.check for one in diagnosis.backend] == [Check.REACH]
    assert "there is no such table" in diagnosis.backend[0].message
