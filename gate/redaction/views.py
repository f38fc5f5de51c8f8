"""The readings of a text: its content once percent signs, entities, escapes or base64 are decoded.

Every byte of a reading is linked to its characters of the text, so that a secret in a reading can
be redacted in the text.
"""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Final

from gate.dataclass import dataclass

CharSpan = tuple[int, int]
"""A range of characters of the text; the end is excluded."""
_MOST_VIEWS: Final = 160
"""The maximum number of readings: enough for three nested encodings; it limits the work on a text
that was made to be decoded."""
_DEEPEST: Final = 3


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text, in UTF-8."""

    data: bytes
    spans: list[CharSpan]
    """The range for each byte."""


def views(text: str) -> Iterator[View]:
    """Yield every reading of one line of printable characters, each different reading once.

    The readings are the line itself, the line without its spaces, and the decodings of both, up to
    three nested ones.
    """
    level = [_view(text), squeezed(_view(text))]
    seen = {view.data for view in level}
    yield from level
    for _ in range(_DEEPEST):
        deeper: list[View] = []
        for view in level:
            for decode in _DECODERS:
                decoded = decode(view)
                if decoded.data not in seen and len(seen) < _MOST_VIEWS:
                    seen.add(decoded.data)
                    deeper.append(decoded)
        yield from deeper
        level = deeper


def squeezed(view: View) -> View:
    """Return the view without blanks, line breaks, controls and characters of zero width."""
    return _replaced(view, _INVISIBLE, lambda _: b"")


def _view(text: str) -> View:
    data, spans = bytearray(), list[CharSpan]()
    for place, char in enumerate(text):
        encoded = char.encode("utf-8", "surrogatepass")
        data += encoded
        spans += [(place, place + 1)] * len(encoded)
    return View(bytes(data), spans)


Decode = Callable[[re.Match[bytes]], bytes | None]
"""A function that returns the decoded match; None: the match stays as it is."""


def _replaced(view: View, pattern: bytes, decode: Decode, bits: int = 0) -> View:
    """Decode every match.

    Args:
        view: the reading to decode.
        pattern: the pattern of encoded text, compiled when it is first used: most runs read no
            foreign text. With ``bits``, its first group.
        decode: the function that decodes a match.
        bits: the number of bits in each character of a match; 0: each byte comes from the whole
            match.
    """
    data, spans, end = bytearray(), list[CharSpan](), 0
    for match in re.finditer(pattern, view.data):
        new = decode(match)
        if new is None:
            continue
        start = match.start(1) if bits else match.start()
        data += view.data[end:start] + new
        spans += view.spans[end:start]
        end = match.end()
        for place in range(len(new)):
            first = start + place * 8 // bits if bits else start
            last = start + (place * 8 + 7) // bits if bits else end - 1
            spans.append((view.spans[first][0], view.spans[last][1]))
    return View(bytes(data) + view.data[end:], spans + view.spans[end:])


_INVISIBLE: Final = (
    rb"[\x00-\x20\x7f]|\xc2[\x80-\xa0\xad]|\xe1\x9a\x80|\xe1\xa0\x8e|\xe2\x80[\x80-\x8f\xa8-\xaf]"
    rb"|\xe2\x81[\x9f-\xaf]|\xe3\x80\x80|\xef\xbb\xbf"
)
_PERCENT: Final = rb"%([0-9A-Fa-f]{2})"
_FORM: Final = rb"\+|%([0-9A-Fa-f]{2})"
_ENTITY: Final = rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?"
_ESCAPE: Final = (
    rb"\\(?:[uU](?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\[uU](?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})"
    rb"|U(?P<long>00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})|[uU](?P<short>[0-9A-Fa-f]{4})"
    rb"|[uU]\{(?P<braced>0*[0-9A-Fa-f]{1,5})\}|[xX](?P<byte>[0-9A-Fa-f]{2})"
    rb"|(?P<octal>[0-3][0-7]{2})|(?P<char>[\x20-\x7e]))"
)
"""JSON (RFC 8259, section 7), Python's repr, Go's %q, JavaScript."""
_CONTROLS: Final = frozenset(b"abfnrtv0N")
_BASE64: Final = b"[A-Za-z0-9+/_-]"
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_READABLE: Final = (
    rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]"
    rb"|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){6}"
)
"""The characters of decoded text; text that is not base64 or hex hardly ever decodes to them
only."""


def _percent(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else b" "


def _entity(match: re.Match[bytes]) -> bytes | None:
    from html import unescape  # noqa: PLC0415 - a large table, for entities only

    name = match[0].decode()
    for spelling in (name, name.lower()):
        char = unescape(spelling)
        if char != spelling:
            return char.encode("utf-8", "surrogatepass")
    return None


def _escape_of_bytes(match: re.Match[bytes]) -> bytes:
    r"""Read ``\xc3\xa9`` as the two bytes of one character, as Go writes them."""
    if match["byte"]:
        return bytes([int(match["byte"], 16)])
    return bytes([int(match["octal"], 8)]) if match["octal"] else _escape(match)


def _escape(match: re.Match[bytes]) -> bytes:
    r"""Read ``\xe9`` as a character, as Python and JavaScript write it."""
    if match["high"]:
        high, low = int(match["high"], 16) - 0xD800, int(match["low"], 16) - 0xDC00
        return chr(0x10000 + (high << 10) + low).encode()
    if match["octal"]:
        return chr(int(match["octal"], 8)).encode()
    if match["char"]:
        return b"\n" if match["char"][0] in _CONTROLS else match["char"]
    number = int(match["long"] or match["short"] or match["braced"] or match["byte"], 16)
    return chr(number).encode("utf-8", "surrogatepass")


def _base64(match: re.Match[bytes]) -> bytes | None:
    run = match[1].translate(_URL_SAFE)
    run = run[: len(run) - (len(run) % 4 == 1)]
    decoded = base64.b64decode(run + b"=" * (-len(run) % 4))
    return decoded if re.search(_READABLE, decoded) else None


def _hex(match: re.Match[bytes]) -> bytes | None:
    decoded = bytes.fromhex(match[1][: len(match[1]) // 2 * 2].decode())
    return decoded if re.search(_READABLE, decoded) else None


def _runs(char: bytes, decode: Decode, bits: int, offset: int) -> Callable[[View], View]:
    """Decode runs from their nth character on: a word may come directly before the encoded text."""
    pattern = rb"(?<!%b)%b{%d}(%b{8,})" % (char, char, offset, char)
    return lambda view: _replaced(view, pattern, decode, bits)


_DECODERS: Final[tuple[Callable[[View], View], ...]] = (
    lambda view: _replaced(view, _PERCENT, _percent),
    lambda view: _replaced(view, _FORM, _percent),
    lambda view: _replaced(view, _ENTITY, _entity),
    lambda view: _replaced(view, _ESCAPE, _escape),
    lambda view: _replaced(view, _ESCAPE, _escape_of_bytes),
    *(_runs(_BASE64, _base64, 6, offset) for offset in range(4)),
    *(_runs(b"[0-9A-Fa-f]", _hex, 4, offset) for offset in range(2)),
)
