"""Native histograms for a real Prometheus, by its remote write protocol; promtool takes none.

https://github.com/prometheus/prometheus/blob/v2.42.0/prompb/types.proto and remote.proto;
https://github.com/google/snappy/blob/main/format_description.txt
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import requests

Grown = tuple[Mapping[str, str], Sequence[int]]
"""A series' labels with ``__name__``, and what a minute adds: up to 1, above 1 up to 2, and so on
by powers of two."""


def write_native(url: str, series: Iterable[Grown], times: Sequence[int]) -> None:
    """Write histograms of schema 0 that grow by the same counts with every sample.

    All in one request: a Prometheus takes nothing that is an hour older than what it has.

    Args:
        url: of a Prometheus that receives remote writes.
        series: the histograms.
        times: of their samples, Unix seconds; the first has counted nothing yet.
    """
    answer = requests.post(
        f"{url}/api/v1/write",
        data=_snappy(b"".join(_field(1, _series(one, times)) for one in series)),
        headers={
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        },
        timeout=30,
    )
    assert answer.status_code == 204, answer.text


def _series(grown: Grown, times: Sequence[int]) -> bytes:
    labels, buckets = grown
    names = b"".join(_field(1, _text(1, k) + _text(2, v)) for k, v in sorted(labels.items()))
    return names + b"".join(
        _field(4, _histogram([count * place for count in buckets], time))
        for place, time in enumerate(times)
    )


def _histogram(counts: Sequence[int], time: int) -> bytes:
    deltas = b"".join(_varint(_zigzag(b - a)) for a, b in pairwise([0, *counts]))
    span = _number(1, _zigzag(0)) + _number(2, len(counts))
    return (
        _number(1, sum(counts))
        + _double(3, float(sum(counts)))
        + _number(4, _zigzag(0))
        + _double(5, 1e-128)
        + _number(6, 0)
        + _field(11, span)
        + _field(12, deltas)
        + _number(15, time * 1000)
    )


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _number(tag: int, number: int) -> bytes:
    return _varint(tag << 3) + _varint(number)


def _double(tag: int, number: float) -> bytes:
    return _varint(tag << 3 | 1) + struct.pack("<d", number)


def _field(tag: int, content: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def _text(tag: int, text: str) -> bytes:
    return _field(tag, text.encode())


def _snappy(content: bytes) -> bytes:
    """Write the block format with literals alone: nothing is made smaller."""
    chunks = [content[start : start + 60] for start in range(0, len(content), 60)]
    literals = b"".join(bytes([(len(chunk) - 1) << 2]) + chunk for chunk in chunks)
    return _varint(len(content)) + literals
