"""Whole zstd frames are told from cut ones, byte by byte; the frames follow RFC 8878."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.backends.logs.unfinished import is_whole
from tests.backends.logs.written import write

MAGIC = bytes.fromhex("28b52ffd")


def block(content: bytes, *, last: bool, kind: int = 0, size: int | None = None) -> bytes:
    """Write a block: 1 bit for the last one, 2 for its kind, 21 for its size."""
    size = len(content) if size is None else size
    return (int(last) | kind << 1 | size << 3).to_bytes(3, "little") + content


LAST = block(b"hello", last=True)
SKIPPED = bytes.fromhex("5f2a4d18") + (3).to_bytes(4, "little") + b"abc"
FRAMES = {
    "with a window and no size": MAGIC + b"\x00\x58" + LAST,
    "of one segment": MAGIC + b"\x20\x05" + LAST,
    "with a size of 2 bytes": MAGIC + b"\x40\x58\x00\x00" + LAST,
    "with a size of 4 bytes": MAGIC + b"\x80\x58" + bytes(4) + LAST,
    "with a size of 8 bytes, of one segment": MAGIC + b"\xe0" + bytes(8) + LAST,
    "with a dictionary of 4 bytes": MAGIC + b"\x03\x58" + bytes(4) + LAST,
    "with a checksum": MAGIC + b"\x04\x58" + LAST + b"sum!",
    "of three blocks, one repeated": MAGIC
    + b"\x00\x58"
    + block(b"abc", last=False, kind=2)
    + block(b"x", last=False, kind=1, size=100_000)
    + LAST,
    "that is skipped": SKIPPED,
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_is_whole_only_with_its_last_byte(frame: bytes) -> None:
    for content in (frame, frame + frame, frame + SKIPPED):
        assert is_whole(BytesIO(content))
    for length in range(len(frame)):
        assert not is_whole(BytesIO(frame[:length]))
        if length:
            assert not is_whole(BytesIO(frame + frame[:length]))


@pytest.mark.parametrize(
    "content",
    [
        b"no zstd at all",
        MAGIC + b"\x00\x58" + block(b"x", last=True, kind=3),  # a reserved kind
        MAGIC + b"\x00\x58" + LAST + b"rubbish",
    ],
)
def test_anything_else_is_not_whole(content: bytes) -> None:
    assert not is_whole(BytesIO(content))


@given(st.data())
def test_what_a_real_encoder_wrote_is_whole_and_no_beginning_of_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    log = folder / "real.jsonl.zst"
    if not log.exists():
        write(log, [{"id": f"{n * 7919:x}"} for n in range(60_000)])
    whole = log.read_bytes()

    assert is_whole(BytesIO(whole))
    assert not is_whole(BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))
