"""Archives of CI artifacts: what is read of them, and what is refused."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from gate.evaluations import UnreadableResultsError, archive
from tests.evaluations.test_archive import zipped

MIB = 1 << 20


def unpacked(raw: bytes, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, bytes]:
    return dict(archive.unpacked(raw, wanted))


def test_the_wanted_files_are_read_by_name() -> None:
    raw = zipped({"b/x.json": b"2", "b/": b"", "a.json": b"1", "c.png": b"3"})
    assert list(unpacked(raw, lambda name: name.endswith("json")).items()) == [
        ("a.json", b"1"),
        ("b/x.json", b"2"),
    ]
    assert unpacked(zipped({}, zipfile.ZIP_STORED)) == {}


def encrypted() -> bytes:
    raw = bytearray(zipped({"x.json": b"{}"}))
    for place in (6, raw.index(b"PK\x01\x02") + 8):
        raw[place] |= 1
    return bytes(raw)


def of_a_later_version() -> bytes:
    raw = bytearray(zipped({"x.json": b"{}"}))
    struct.pack_into("<H", raw, raw.index(b"PK\x01\x02") + 6, 255)
    return bytes(raw)


def altered() -> bytes:
    raw = zipped({"x.json": b"[1, 2]"}, zipfile.ZIP_STORED)
    return raw.replace(b"[1, 2]", b"[1, 3]")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        zipped({"x.json": b"{}"})[:-1],
        zipped({"x.json": b"{}"})[30:],
        encrypted(),
        of_a_later_version(),
        altered(),
    ],
    ids=["empty", "page", "truncated", "beheaded", "encrypted", "version", "altered"],
)
def test_a_damaged_or_encrypted_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableResultsError, match="it is a zip file that is damaged or encrypt"):
        unpacked(raw)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/x.json",
        "../x.json",
        "a/../../x",
        "a//x",
        "./x",
        "a\\x",
        "C:\\x",
        "x\n",
        "\x1b[2J",
        "/",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_though_nothing_is_written(name: str) -> None:
    with pytest.raises(UnreadableResultsError, match="it has a member with the odd name"):
        unpacked(zipped({"x.json": b"{}", name: b"{}"}), lambda member: member == "x.json")


def test_two_members_of_one_name_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("x.json", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            written.writestr("x.json", b"2")
    with pytest.raises(UnreadableResultsError, match="two of its members have one name"):
        unpacked(file.getvalue())


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MEMBER", MIB)
    monkeypatch.setattr(archive, "_UNPACKED", 3 * MIB)
    with pytest.raises(
        UnreadableResultsError, match="it unpacks to far more data than results have"
    ):
        unpacked(zipped({"x.json": bytes(MIB + 1)}))
    many = {f"{number}.json": bytes(MIB) for number in range(4)}
    with pytest.raises(
        UnreadableResultsError, match="it unpacks to far more data than results have"
    ):
        unpacked(zipped(many))
    assert len(unpacked(zipped(many), lambda name: name != "3.json")) == 3


def test_an_archive_of_very_many_members_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST", 2)
    members = dict.fromkeys("abc", b"")
    with pytest.raises(UnreadableResultsError, match="it has more than 2 members"):
        unpacked(zipped(members))
    assert set(unpacked(zipped(dict.fromkeys("ab", b"")))) == {"a", "b"}
