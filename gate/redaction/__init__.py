"""Redact secrets in foreign text, in every spelling in which a server may repeat them.

A secret of eight characters or more is recognised percent-encoded, as HTML, as a JSON or Python
string, in base64 and hex, in capitals, broken over lines, in nested encodings (`views`), and cut. A
shorter one is often a word (``prod``), and is redacted only as a separate word in its own spelling.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from functools import lru_cache
from typing import Final

from gate.dataclass import dataclass
from gate.redaction.views import CharSpan, View, squeezed, views

_SHORTEST_SECRET: Final = 4
"""A shorter value cannot be redacted without making a message unreadable."""
_SHORTEST_ANYWHERE: Final = 8
"""A shorter value is redacted as a whole word only."""
_SHORTEST_PART: Final = 6
"""The minimum length of a part of a cut secret, beside the cut, that is redacted."""
_SLACK: Final = 8
"""The bytes between a cut secret and the cut: half an escape, a quote, a bracket."""
_BLOT: Final = "***"
_LONGEST: Final = 300
"""The maximum length of a server's words in a message."""
_HEAD, _TAIL = 2_000, 4_000
"""The number of characters of a longer text that are searched; fewer of them are shown."""
_CUT: Final = re.compile(rb"\.\.\.|\xe2\x80\xa6|\[truncated|<truncated", re.IGNORECASE)
"""Texts with which a server shows that it has cut something."""
_MOST_ROUNDS: Final = 4


def redactable(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return the secrets that can be redacted in a text, the longest first."""
    long_enough = {value for value in values if value and len(value) >= _SHORTEST_SECRET}
    return tuple(sorted(long_enough, key=lambda value: (-len(value), value)))


@dataclass(frozen=True, slots=True)
class Redactor:
    """Makes a server's words safe to show."""

    secrets: tuple[str, ...] = field(repr=False)
    """The secrets that the server may repeat, from `redactable`."""

    def __call__(self, text: str) -> str:
        """Return one line of printable characters without secrets, its middle cut if it is long."""
        line = "".join(filter(str.isprintable, " ".join(text.split())))
        if len(line) > _HEAD + _TAIL:
            line = f"{line[:_HEAD]} ... {line[-_TAIL:]}"
        line = blotted(line, self.secrets)
        if len(line) <= _LONGEST:
            return line
        # Some servers name the cause at the start; VictoriaMetrics names it at the end.
        return f"{line[: _LONGEST // 3]} ... {line[-_LONGEST * 2 // 3 :]}"


def blotted(line: str, secrets: tuple[str, ...]) -> str:
    """Return a line of printable characters without the secrets."""
    if not secrets:
        return line
    needles, words = _needles(secrets), _words(secrets)
    for _ in range(_MOST_ROUNDS):
        spans = [span for view in views(line) for span in _spans(view, needles, words)]
        if not spans:
            return line
        line = _without(line, spans)
    return _BLOT  # the redacted parts together spell a secret


def repeats(answer: bytes, secrets: tuple[str, ...]) -> bool:
    """Return whether an answer has a secret of eight characters or more, or its base64.

    Unlike `blotted`, it is fast for an answer of any length, and does not decode other encodings.
    """
    data = answer.lower()
    return any(needle in data for needle in _needles(secrets))


def _without(line: str, spans: list[CharSpan]) -> str:
    parts, end = list[str](), 0
    for first, last in sorted(spans):
        if first > end or not parts:
            parts += [line[end:first], _BLOT]
        end = max(end, last)
    return "".join([*parts, line[end:]])


@lru_cache(maxsize=16)
def _needles(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the secrets to search for in any place, in lower case and without blanks."""
    needles = {
        needle
        for secret in secrets
        if not _is_word(secret)
        for spelling in (secret, secret.lower(), secret.upper())
        for encoded in _encoded(spelling)
        for needle in (squeezed(View(encoded, [(0, 0)] * len(encoded))).data, *_in_base64(encoded))
    }
    return tuple(sorted({needle.lower() for needle in needles if len(needle) >= _SHORTEST_PART}))


def _is_word(secret: str) -> bool:
    return len("".join(secret.split())) < _SHORTEST_ANYWHERE


def _encoded(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogatepass")
    try:
        yield text.encode("latin-1")  # in the form in which headers are sent
    except UnicodeEncodeError:
        return


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """Yield the base64 parts that all texts with the secret share, at the three alignments.

    The search ignores case: base64 in capitals cannot be decoded, only recognised.
    """
    for before, spoilt in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(bytes(before) + secret)
        whole = (
            (before + len(secret)) * 8 // 6
        )  # the next byte also depends on the text that follows
        yield text[spoilt:whole]
        yield text[spoilt:whole].translate(bytes.maketrans(b"+/", b"-_"))


@lru_cache(maxsize=16)
def _words(secrets: tuple[str, ...]) -> re.Pattern[bytes] | None:
    """Return a pattern for the secrets that may be ordinary words; None: no such secrets."""
    short = [
        re.escape(" ".join(secret.split()).encode("utf-8", "surrogatepass"))
        for secret in secrets
        if _is_word(secret)
    ]
    within = rb"[0-9A-Za-z_\x80-\xff]"
    return (
        re.compile(rb"(?<!%b)(?:%b)(?!%b)" % (within, b"|".join(short), within)) if short else None
    )


def _spans(
    view: View, needles: tuple[bytes, ...], words: re.Pattern[bytes] | None
) -> Iterator[CharSpan]:
    """Yield the characters of the text that spell a secret, or a part of one, in this reading."""
    if words is not None:
        for match in words.finditer(view.data):
            yield _span(view, match.start(), match.end())
    dense = squeezed(view)
    data = dense.data.lower()
    ends = [match.start() for match in _CUT.finditer(data)] + [len(data)]
    starts = [0] + [match.end() for match in _CUT.finditer(data)]
    backwards = data[::-1]
    for needle in needles:
        for first, last in _prefixes(data, needle, ends):
            yield _span(dense, first, last)
        mirrored = [len(data) - start for start in starts]
        for first, last in _prefixes(backwards, needle[::-1], mirrored):
            yield _span(dense, len(data) - last, len(data) - first)


def _span(view: View, first: int, last: int) -> CharSpan:
    return view.spans[first][0], view.spans[last - 1][1]


def _prefixes(data: bytes, needle: bytes, ends: list[int]) -> Iterator[CharSpan]:
    """Yield the places where the needle begins: whole, half or more of it, or cut near an end."""
    enough = max(_SHORTEST_ANYWHERE, -(-len(needle) // 2))
    shortest = needle[:_SHORTEST_PART]
    first = data.find(shortest)
    while first >= 0:
        last = first + _common(data[first : first + len(needle)], needle)
        length = last - first
        if length >= min(enough, len(needle)) or any(0 <= end - last <= _SLACK for end in ends):
            yield first, last
        first = data.find(shortest, first + 1)


def _common(text: bytes, needle: bytes) -> int:
    """Return the number of equal bytes at the start of both."""
    return next(
        (n for n, (left, right) in enumerate(zip(text, needle, strict=False)) if left != right),
        min(len(text), len(needle)),
    )
