"""Matching a path with a glob in a time that grows with both and with nothing else.

Whoever writes a change chooses its paths, and a proposed policy its globs. Python's regular
expressions try every way to divide a path among the wildcards, and nothing can interrupt them.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from gate.dataclass import dataclass

_TOKEN: Final = re.compile(r"/\*\*$|(?:^|(?<=/))\*\*/|\*\*|\*|\?|[^*?/]+|/")
_WILD: Final = {"/**": "(?:/.*)?", "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_WIDE: Final = _WILD.keys() - {"?"}
_MOST_WAYS: Final = 100_000
"""To divide a path among wildcards, up to which a regular expression is the quicker."""
_PARTS: Final = {"/**": ("option", "/", "deep"), "**/": ("option", "deep", "/"), "**": ("deep",)}
"""The parts of a wildcard over several folders; an optional part is left out as a whole or not at
all."""
_OPTION: Final = 3
"""Parts of an option, itself included."""


def matches(glob: str, path: str) -> bool:
    """Return whether a path matches a glob as a whole: see `gate.policy.changes.matches_glob`."""
    pattern = _compiled(glob)
    if len(path) ** pattern.wildcards <= _MOST_WAYS:
        return pattern.expression.fullmatch(path) is not None
    return _automaton(glob).accepts(path)


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    wildcards: int
    """Those that may match more than one character."""


@cache
def _compiled(glob: str) -> _Pattern:
    tokens = _TOKEN.findall(glob)
    parts = (_WILD.get(token) or re.escape(token) for token in tokens)
    return _Pattern(
        re.compile("".join(parts), re.DOTALL),
        sum(token in _WIDE for token in tokens),
    )


@dataclass(frozen=True, slots=True)
class _Automaton:
    """The places in a glob where a path may be, as bits of a number; all are followed at once.

    https://en.wikipedia.org/wiki/Bitap_algorithm
    """

    characters: dict[str, int]
    """The places that a character leads on from."""
    any: int
    """The same of any character but a slash."""
    star: int
    """Those that any character but a slash leads back to."""
    deep: int
    """Those that any character leads back to."""
    option: int
    """Those where a whole option begins."""
    end: int

    def accepts(self, path: str) -> bool:
        """Return whether the path leads to the end of the glob."""
        places = self._reached(1)
        for character in path:
            inside = character != "/"
            onward = places & (self.characters.get(character, 0) | (self.any if inside else 0))
            stay = places & (self.deep | (self.star if inside else 0))
            places = self._reached(onward << 1 | stay)
        return bool(places & self.end)

    def _reached(self, places: int) -> int:
        """Return also the places that are reached without a character."""
        before = 0
        while places != before:
            before = places
            places |= (places & (self.star | self.deep | self.option)) << 1
            places |= (places & self.option) << _OPTION
        return places


@cache
def _automaton(glob: str) -> _Automaton:
    characters: dict[str, int] = {}
    wild = dict.fromkeys(("?", "*", "deep", "option"), 0)
    bit = 1
    for part, is_wild in _parts(glob):
        places = wild if is_wild else characters
        places[part] = places.get(part, 0) | bit
        bit <<= 1
    return _Automaton(
        characters=characters,
        any=wild["?"],
        star=wild["*"],
        deep=wild["deep"],
        option=wild["option"],
        end=bit,
    )


def _parts(glob: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a glob, each a character or else wild."""
    for token in _TOKEN.findall(glob):
        if token in _WILD:
            for part in _PARTS.get(token, (token,)):
                yield part, part != "/"
        else:
            yield from ((character, False) for character in token)
