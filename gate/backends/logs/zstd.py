"""A check for incomplete zstd files, which DuckDB does not notice: frames and blocks, RFC 8878."""

from typing import BinaryIO, Final

_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50
_CHECKSUM, _SINGLE_SEGMENT = 1 << 2, 1 << 5
_DICTIONARY_ID: Final = (0, 1, 2, 4)
_CONTENT_SIZE: Final = (0, 2, 4, 8)
_REPEATED, _RESERVED = 1, 3


class _CutOff(Exception):
    """The file ends, or is invalid, within a frame."""


def is_whole(file: BinaryIO) -> bool:
    """Return whether a file is one or more whole frames; only headers are read.

    Raises:
        OSError: the file cannot be read.
    """
    size = file.seek(0, 2)
    file.seek(0)
    try:
        while True:
            _pass_frame(file)
            if file.tell() >= size:
                return file.tell() == size
    except _CutOff:
        return False


def _number(file: BinaryIO, length: int) -> int:
    read = file.read(length)
    if len(read) < length:
        raise _CutOff
    return int.from_bytes(read, "little")


def _pass_frame(file: BinaryIO) -> None:
    magic = _number(file, 4)
    if magic & ~0xF == _SKIPPABLE:
        file.seek(_number(file, 4), 1)
        return
    if magic != _MAGIC:
        raise _CutOff
    descriptor = _number(file, 1)
    single = bool(descriptor & _SINGLE_SEGMENT)
    content_size = _CONTENT_SIZE[descriptor >> 6] or int(single)
    file.seek(int(not single) + _DICTIONARY_ID[descriptor & 3] + content_size, 1)
    last = False
    while not last:
        header = _number(file, 3)
        last, kind = bool(header & 1), header >> 1 & 3
        if kind == _RESERVED:
            raise _CutOff
        file.seek(1 if kind == _REPEATED else header >> 3, 1)
    file.seek(4 if descriptor & _CHECKSUM else 0, 1)
