"""The file of counts: read exactly, and nothing in it taken for what it is not."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.static import StaticSettings
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow, Span

AT = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = RollingWindow(timedelta(days=30)).counted(AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "counts.yaml"


def measure(file: Path, *requests: CountRequest) -> list[Answer]:
    settings, limits = StaticSettings(path=file), Limits(timeout=timedelta(seconds=1))
    return open_backend(settings, limits).measure(requests, AT)


def asked(
    name: str | None = "slo", span: Span = MONTH, *, probe: bool = True, amount: bool = False
) -> CountRequest:
    return CountRequest(sli=Sli(series=name), span=span, probe=probe, amount=amount)


def window(**length: float) -> CountRequest:
    return asked(span=RollingWindow(timedelta(**length)).counted(AT), probe=False)


def read(file: Path, entry: str, request: CountRequest | None = None) -> Answer:
    """Write one entry and measure it."""
    file.write_text(f"counts: {{slo: {{{entry}}}}}", encoding="utf-8")
    (answer,) = measure(file, request or asked())
    return answer


@pytest.mark.parametrize(
    "total, exact",
    [
        ("1000000", Fraction(10**6)),
        ("1_000", Fraction(1000)),
        ("0123", Fraction(123)),  # which YAML 1.1 takes for octal
        ("+5", Fraction(5)),
        ("0.1", Fraction(1, 10)),
        ("1.0e+6", Fraction(10**6)),
        ("1.5e-3", Fraction(3, 2000)),
        ("9" * 30, Fraction(10**30 - 1)),
    ],
)
def test_counts_are_read_exactly_as_written(file: Path, total: str, exact: Fraction) -> None:
    answer = read(file, f"total: {total}, bad: 0")

    assert isinstance(answer, Counts)
    assert answer.total == exact
    assert answer.bad == 0


def test_amount_spent_is_read_exactly(file: Path) -> None:
    answer = read(file, "spent: 1234.56", asked(amount=True))

    assert isinstance(answer, Spent)
    assert answer.amount == Fraction(123456, 100)


def test_json_is_read_as_well(file: Path) -> None:
    file.write_text('{"counts": {"slo": {"total": 1000, "bad": 2.5}}}', encoding="utf-8")
    (answer,) = measure(file, asked())

    assert isinstance(answer, Counts)
    assert answer.total == 1000
    assert answer.bad == Fraction(5, 2)


def test_each_request_is_answered_in_its_place(file: Path) -> None:
    file.write_text("counts: {a: {total: 10, bad: 1}, b: {spent: 7}}", encoding="utf-8")
    a, none, b = measure(file, asked("a"), asked("c"), asked("b", amount=True))

    assert isinstance(a, Counts)
    assert isinstance(none, Unmeasured)
    assert isinstance(b, Spent)


def test_evidence_names_the_entry_its_age_and_its_coverage(file: Path) -> None:
    answer = read(file, "total: 9, bad: 0, newest: 2025-12-31T23:30:00+01:00, coverage: 87.5%")

    assert isinstance(answer, Counts)
    assert answer.evidence.query == f"{file}: counts.slo"
    assert answer.evidence.newest == datetime(
        2025, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=1))
    )
    assert answer.evidence.coverage == Fraction(7, 8)


@pytest.mark.parametrize("newest", ["2025-12-31T23:30:00", "2025-12-31T23:30:00Z"])
def test_instant_without_zone_is_in_utc(file: Path, newest: str) -> None:
    answer = read(file, f"total: 9, bad: 0, newest: {newest}")

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("coverage, share", [("0.5", Fraction(1, 2)), ("1", Fraction(1))])
def test_coverage_may_be_a_share_of_one(file: Path, coverage: str, share: Fraction) -> None:
    answer = read(file, f"total: 9, bad: 0, coverage: {coverage}")

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == share


def test_shorter_window_is_found_by_its_length_however_it_is_written(file: Path) -> None:
    entry = "total: 900, bad: 9, windows: {5m: {total: 2, bad: 0}, 60m: {total: 40, bad: 1}}"
    answer = read(file, entry, window(hours=1))

    assert isinstance(answer, Counts)
    assert answer.total == 40
    assert answer.bad == 1
    assert answer.evidence.query == f"{file}: counts.slo.windows.60m"


@pytest.mark.parametrize(
    "entry, cause, words",
    [
        ("total: 9, bad: 0", Cause.NO_DATA, "counts.slo.windows has no 1h"),
        ("windows: {1h: {total: 0, bad: 0}}", Cause.NO_TRAFFIC, "windows.1h: total is 0"),
        ("windows: {1h: {total: 1}}", Cause.NO_DATA, "windows.1h: the key 'bad' is missing"),
        ("windows: {1h: {totl: 1}}", Cause.INVALID, "unknown key 'totl'; did you mean 'total'?"),
        ("windows: {1 hour: {total: 1, bad: 0}}", Cause.INVALID, "windows.1 hour: '1 hour' is no"),
        (
            "windows: {60: {total: 1, bad: 0}}",
            Cause.INVALID,
            "windows.60: '60' is not a valid duration",
        ),
        ("windows: 1h", Cause.INVALID, "windows: a block of keys was expected"),
        ("windows: {1h: {spent: 1}}", Cause.INVALID, "unknown key 'spent'"),
    ],
)
def test_shorter_window_that_is_not_there_or_wrong_is_unmeasured(
    file: Path, entry: str, cause: Cause, words: str
) -> None:
    answer = read(file, entry, window(hours=1))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is cause
    assert words in answer.reason


@pytest.mark.parametrize(
    "entry, cause, words",
    [
        ("bad: 0", Cause.NO_DATA, "the key 'total' is missing"),
        ("total: 1", Cause.NO_DATA, "the key 'bad' is missing"),
        ("total: 0, bad: 0", Cause.NO_TRAFFIC, "total is 0: nothing happened"),
        ("total: 1, bad: 2", Cause.INVALID, "bad is more than total"),
        ("total: -5.5, bad: 0", Cause.INVALID, "total: -5.5 is negative"),
        ("spent: 1", Cause.INVALID, "spent goes with an allowance alone"),
        ("spent: 1, total: 1, bad: 0", Cause.INVALID, "spent goes with an allowance alone"),
        ("totals: 1, bad: 0", Cause.INVALID, "unknown key 'totals'; did you mean 'total'?"),
        ("1: 1, bad: 0", Cause.INVALID, "unknown key '1'"),
        ("total: 9, bad: 0, newest: today", Cause.INVALID, "newest: today is not a valid time"),
        (
            "total: 9, bad: 0, newest: 2026-01-01",
            Cause.INVALID,
            "2026-01-01 is not a valid time",
        ),
        ("total: 9, bad: 0, newest: [1]", Cause.INVALID, "newest: list is not a valid time"),
        ("total: 9, bad: 0, coverage: all", Cause.INVALID, "coverage: 'all'"),
        ("total: 9, bad: 0, coverage: -0.1", Cause.INVALID, "not between 0% and 100%"),
        ("total: 9, bad: 0, coverage: 95", Cause.INVALID, "not between 0% and 100%"),
    ],
)
def test_entry_that_is_wrong_is_unmeasured(
    file: Path, entry: str, cause: Cause, words: str
) -> None:
    answer = read(file, entry)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is cause
    assert words in answer.reason
    assert answer.reason.startswith(f"{file}: counts.slo")


@pytest.mark.parametrize(
    "entry, cause, words",
    [
        ("spent: -1", Cause.INVALID, "spent: -1 is negative"),
        ("spent: 1, total: 1", Cause.INVALID, "an allowance goes with spent alone"),
        ("total: 1, bad: 0", Cause.INVALID, "an allowance goes with spent alone"),
        ("coverage: 50%", Cause.NO_DATA, "the key 'spent' is missing"),
    ],
)
def test_an_amount_that_is_wrong_is_unmeasured(
    file: Path, entry: str, cause: Cause, words: str
) -> None:
    answer = read(file, entry, asked(amount=True))

    assert isinstance(answer, Unmeasured)
    assert (answer.cause, words in answer.reason) == (cause, True)


@pytest.mark.parametrize(
    "total",
    [
        *(".nan", ".inf", "-.inf", "NaN", "many", "true", "null", "[1]"),
        *("1:30", "0x10", "0b1", "1.0e+100", "1.0e+999999999", "1.0e-999999999", "9" * 31),
    ],
)
def test_what_is_not_a_plain_number_is_not_a_count(file: Path, total: str) -> None:
    answer = read(file, f"total: {total}, bad: 0")

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
    assert "is not a count" in answer.reason


def test_a_file_without_counts_suggests_no_name(file: Path) -> None:
    file.write_text("counts: {}", encoding="utf-8")
    (answer,) = measure(file, asked())

    assert isinstance(answer, Unmeasured)
    assert answer.reason == f"{file} has no counts 'slo'"


@pytest.mark.variants(5)
@pytest.mark.parametrize(
    "content, cause, words",
    [
        (b"", Cause.INVALID, "a block of keys was expected"),
        (b"[]", Cause.INVALID, "a block of keys was expected"),
        (b"count: {}", Cause.INVALID, "unknown key 'count'; did you mean 'counts'?"),
        (b"counts: []", Cause.INVALID, "counts: a block was expected"),
        (b"{}", Cause.INVALID, "counts: a block was expected"),
        (b"counts: {slo: 5}", Cause.INVALID, "counts.slo: a block of keys was expected"),
        (b"counts: {sol: {}}", Cause.NO_DATA, "has no counts 'slo'; did you mean 'sol'?"),
        (b"counts: {zzz: {}}", Cause.NO_DATA, "has no counts 'slo'; known: zzz"),
        (b"counts: {slo: {total: 1", Cause.BACKEND_ERROR, "cannot be read"),
        (b"counts: {slo: {newest: 2025-13-45T00:00:00Z}}", Cause.BACKEND_ERROR, "month must be"),
        (b"counts: {a: {}, a: {}}", Cause.BACKEND_ERROR, "duplicate key 'a'"),
        (
            b"counts: {slo: {bad: 9, total: 9, bad: 0}}",
            Cause.BACKEND_ERROR,
            "duplicate key 'bad'",
        ),
        (b"counts: !!python/object:os.system {}", Cause.BACKEND_ERROR, "cannot be read"),
        (b"\xff\xfe\x00\xd8", Cause.BACKEND_ERROR, "cannot be read"),
        (b"[" * 1_000, Cause.BACKEND_ERROR, "cannot be read"),
    ],
)
def test_file_that_is_wrong_spoils_every_answer(
    file: Path, content: bytes, cause: Cause, words: str
) -> None:
    file.write_bytes(content)
    answers = measure(file, asked(), window(hours=1))

    assert [a.cause for a in answers if isinstance(a, Unmeasured)] == [cause, cause]
    assert all(words in a.reason for a in answers if isinstance(a, Unmeasured))


def test_file_that_went_away_after_the_policy_was_read_is_a_backend_error(file: Path) -> None:
    (answer,) = measure(file, asked())

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert "No such file" in answer.reason


def test_indicator_without_a_name_is_no_data(file: Path) -> None:
    file.write_text("counts: {slo: {total: 1, bad: 0}}", encoding="utf-8")
    (answer,) = measure(file, asked(None))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA
