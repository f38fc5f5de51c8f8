"""Match a path with a glob in a time that grows with the length of both, and with nothing else.

The author of a change chooses its paths, and a proposed policy its globs. Python's regular
expressions try every way to divide a path among the wildcards, and cannot be interrupted.
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
"""The number of ways to divide a path among wildcards up to which a regular expression is
faster."""
_PARTS: Final = {"/**": ("option", "/", "deep"), "**/": ("option", "deep", "/"), "**": ("deep",)}
"""The parts of a wildcard over several folders; an optional part is present as a whole or
absent."""
_OPTION: Final = 3
"""The number of parts of an option, with the option itself."""


def matches(glob: str, path: str) -> bool:
    """Return whether a whole path matches a glob: see `gate.policy.changes.matches_glob`."""
    pattern = _compiled(glob)
    if len(path) ** pattern.wildcards <= _MOST_WAYS:
        return pattern.expression.fullmatch(path) is not None
    return _automaton(glob).accepts(path)


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    wildcards: int
    """The parts that may match more than one character."""


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
    """The places in a glob that a path may have reached, as bits of a number: all are followed.

    https://en.wikipedia.org/wiki/Bitap_algorithm
    """

    characters: dict[str, int]
    """For each character, the places from which it leads on."""
    any: int
    """The places from which any character except a slash leads on."""
    star: int
    """The places to which any character except a slash leads back."""
    deep: int
    """The places to which any character leads back."""
    option: int
    """The places at which a whole option begins."""
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
        """Return the places with those that are reached from them without a character."""
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
    """Yield the parts of a glob, each either a character or a wildcard."""
    for token in _TOKEN.findall(glob):
        if token in _WILD:
            for part in _PARTS.get(token, (token,)):
                yield part, part != "/"
        else:
            yield from ((character, False) for character in token)
