"""Random changes of a file, as a broken disk, a script or somebody with an editor makes them."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

Json = Any

ODD: Final[tuple[Json, ...]] = (
    *(None, True, False, 0, 1, -1, 200, 10**30, 0.5, 1e308, float("nan"), float("inf")),
    *("", "C", "success", "true", "NaN", "1e999", "\x00", "\ud800", [], {}, [[]], {"": None}),
)
"""Values of JSON that a careless reader takes for something else, or does not expect."""


def mutate(content: bytes, random: Random) -> bytes:
    """Change a file in one to four places."""
    for _ in range(random.randint(1, 4)):
        content = random.choice(_mutations(content))(content, random)
    return content


def _mutations(content: bytes) -> tuple[Callable[[bytes, Random], bytes], ...]:
    """Return what can be done to a file: with its bytes, and with the values of its format."""
    by_bytes = (_flip, _cut, _repeat, _swap)
    if content[:1] in {b"{", b"["}:
        return (*by_bytes, _change_value, _change_value, _change_value, _change_value)
    if content[:1] == b"<":
        return (*by_bytes, _change_attribute, _change_attribute, _move_element, _move_element)
    return (*by_bytes, _change_cell, _change_cell)


def _place(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + int(random.expovariate(1 / 200)) + 1)


def _flip(content: bytes, random: Random) -> bytes:
    """Change some single bytes."""
    changed = bytearray(content or b" ")
    for _ in range(random.choice((1, 1, 2, 50))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _cut(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random)
    return content[:start] + content[end:]


def _repeat(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random)
    return content[:end] + content[start:end] * random.choice((1, 3)) + content[end:]


def _swap(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random)
    other, last = _place(content, random)
    return content[:start] + content[other:last] + content[end:]


def _change_value(content: bytes, random: Random) -> bytes:
    """Change a value, or the name of one, somewhere in a JSON document."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    holder: Json = [document]
    key: Json = 0
    while isinstance(holder[key], dict | list) and holder[key] and random.random() < 0.85:
        holder = holder[key]
        key = random.choice(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
    action = random.randrange(4)
    if action == 0:
        holder[key] = random.choice(ODD)
    elif action == 1 and isinstance(holder, dict):
        holder[f"{key}2"] = holder.pop(key)
    elif action == 2 and len(holder) > 1:
        other = random.choice(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
        holder[key] = holder[other]
    else:
        del holder[key]
    return json.dumps(document).encode()


def _change_attribute(content: bytes, random: Random) -> bytes:
    """Change the value or the name of an attribute of an XML document."""
    attributes = list(re.finditer(rb' (\w+)="([^"<>]*)"', content))
    if not attributes:
        return content
    attribute = random.choice(attributes)
    value = random.choice((b"", b"0", b"1", b"-1", b"1e9", b"&amp;", "²".encode(), b"true"))
    new = random.choice(
        (b' %s="%s"' % (attribute[1], value), b' %s2="%s"' % attribute.groups(), b"")
    )
    return content[: attribute.start()] + new + content[attribute.end() :]


def _move_element(content: bytes, random: Random) -> bytes:
    """Remove an element of an XML document, or put it somewhere else."""
    elements = list(re.finditer(rb"<(\w+)[^<>]*(?:/>|>[^<>]*</\1>)", content))
    if not elements:
        return content
    element = random.choice(elements)
    rest = content[: element.start()] + content[element.end() :]
    places = [match.start() for match in re.finditer(rb"<", rest)] or [0]
    place = random.choice(places)
    return random.choice((rest, rest[:place] + element[0] + rest[place:]))


def _change_cell(content: bytes, random: Random) -> bytes:
    """Change a cell of a table."""
    cells = list(re.finditer(rb"[^,\n]*", content))
    cell = random.choice(cells)
    value = random.choice(
        (b"", b"1", b"1.0", b"nan", b"inf", b"-1", b'"', b"1,0", b"True", b"\x00")
    )
    return content[: cell.start()] + value + content[cell.end() :]
