"""Amounts of data, as people write them."""

import pytest

from gate.slo.quantities import format_size, parse_size

SIZES = [
    ("1B", 1),
    ("812 B", 812),
    ("50GB", 50_000_000_000),
    ("50 GB", 50_000_000_000),
    (" 50gb ", 50_000_000_000),
    ("1.5 kB", 1_500),
    ("1.5TB", 1_500_000_000_000),
    ("2PB", 2_000_000_000_000_000),
    ("3MB", 3_000_000),
    ("1KiB", 1024),
    ("20GiB", 20 * 1024**3),
    ("0.5 MiB", 512 * 1024),
    ("1TiB", 1024**4),
    ("1PiB", 1024**5),
    ("1.9999B", 1),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_number_and_a_unit_are_so_many_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


WRONG = [
    ("50", "add its unit, as in 50GB"),
    ("50000000000", "add its unit"),
    ("GB", "write for example 50GB or 20GiB"),
    ("50GBit", "write for example"),
    ("50 Gb/s", "write for example"),
    ("-1GB", "write for example"),
    ("1,5GB", "write for example"),
    ("1e9B", "write for example"),
    ("", "write for example"),
    ("50XB", "(B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB)"),
    ("0GB", "is not between 1 byte and 9,000 PB"),
    ("0.1B", "is not between"),
    ("999999999PB", "is not between"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_anything_else_is_refused_with_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - its words are looked at below
        parse_size(text)

    assert reason in str(error.value)


SHOWN = [
    (0, "0 B"),
    (812, "812 B"),
    (1_000, "1 kB"),
    (1_300_000_000, "1.3 GB"),
    (1_359_999_999, "1.35 GB"),
    (50_000_000_000, "50 GB"),
    (999_999_999, "999 MB"),
    (123_456_789_000_000, "123 TB"),
    (5_000_000_000_000_000_000, "5000 PB"),
]


@pytest.mark.parametrize(("size", "text"), SHOWN)
def test_a_size_is_written_in_its_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text
