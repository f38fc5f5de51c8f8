"""Several names of one metric: their spellings, and the counts of one name beside a newer name.

A process that exports two names at once counts each event under both: an alias, kept until the
older name is removed. Two processes that export a name each, old and new, count events of their
own. So a series of an older name counts where no newer name has any series of the same process.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from gate.dataclass import dataclass
from gate.promql.grammar import Token, TokenKind, tokenize, write_tokens
from gate.promql.selectors import fold_braces, quote

_PROCESS: Final = "on (cluster, namespace, job, instance, pod, service_instance_id)"
"""Labels that identify the process of a series: those of Prometheus' targets, of Kubernetes and of
OpenTelemetry's resources. A label that neither name has makes no difference."""
_COLON: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:[A-Za-z0-9_]+")
"""A name with one colon, as programs export it; recording rules have two:
https://prometheus.io/docs/practices/rules/#naming"""
_MARK: Final = "gate_name"
"""The label that separates the counts of one name from those of the others."""
_CODES: Final = {TokenKind.WORD: "w", TokenKind.BRACES: "b", TokenKind.WINDOW: "$"}
_CALL: Final = re.compile(r"w\((w?b|w)\[\$\]\)")


@lru_cache(maxsize=256)
def respelled(text: str) -> str:
    """Return an expression with ``_`` in place of the colon in the names of its metrics.

    So prometheus_client from 0.23 on answers a server that does not ask for UTF-8 names, which is
    any Prometheus before 3:
    https://github.com/prometheus/client_python/blob/v0.23.1/prometheus_client/openmetrics/exposition.py
    """
    if ":" not in text:
        return text
    return write_tokens(
        [
            Token(token.kind, token.text.replace(":", "_"))
            if token.kind is TokenKind.WORD and _COLON.fullmatch(token.text)
            else token
            for token in tokenize(text)
        ]
    )


@lru_cache(maxsize=256)
def is_divisible(text: str) -> bool:
    """Return whether every ``$window`` is the range of a function of one selector.

    Events that a newer name has counted can be excluded only from ``increase(x[$window])`` and
    similar functions.
    """
    tokens = _folded(text)
    windows = sum(token.kind is TokenKind.WINDOW for token in tokens)
    return windows == len(list(_calls(tokens))) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """The series that show which processes export one name, and which a newer name."""

    selectors: tuple[str, ...]
    """The selectors of the name itself: any of them is enough."""
    newer: tuple[str, ...] = ()
    """The first of the newer names; empty without newer names."""

    @property
    def by_itself(self) -> str:
        """The series of the name at an instant, of processes that export no newer name."""
        series = " or ".join(self.selectors)
        return f"({series}) unless {_PROCESS} ({' or '.join(self.newer)})" if self.newer else series

    @property
    def beside(self) -> str:
        """The series of the name at an instant, of processes that also export a newer name."""
        return f"({' or '.join(self.selectors)}) and {_PROCESS} ({' or '.join(self.newer)})"

    @property
    def recent(self) -> str:
        """The series of the last hour instead of an instant: for targets with rare scrapes."""
        lately = Presence(selectors=_lately(self.selectors), newer=_lately(self.newer))
        return lately.by_itself

    def over_window(self, text: str, step: str) -> str:
        """Write a count that uses, at every step of the window, only the series in `by_itself`."""

        def count(function: str, selector: str) -> str:
            alone = f"{selector} unless {_PROCESS} ({' or '.join(self.newer)})"
            return f"{function}(({alone})[$window:{step}])"

        return _rewrite(text, count)

    def within_step(self, text: str) -> str:
        """Write a count over a short time that excludes every process that exported a newer name.

        A process is excluded if it had that name before the step, or has both at the end. A process
        that changes its name within the step counts under both, each for its part.
        """
        before = " or ".join(f"{selector} offset $window" for selector in self.newer)

        def count(function: str, selector: str) -> str:
            return (
                f"({function}({selector}[$window]) unless {_PROCESS} ({before})"
                f" unless {_PROCESS} ({self.beside}))"
            )

        return _rewrite(text, count)


def _lately(selectors: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"last_over_time({selector}[1h])" for selector in selectors)


def side_by_side(texts: Iterable[str]) -> str:
    """Write several counts, each of which may be absent, as one vector to be added up."""
    marked = [
        f'label_replace({text},"{_MARK}",{quote(str(place))},"","")'
        for place, text in enumerate(texts)
    ]
    return f"({' or '.join(marked)})"


def _folded(text: str) -> list[Token]:
    tokens = fold_braces(tokenize(text), {})[0]
    return [token for token in tokens if token.kind is not TokenKind.SPACE]


def _calls(tokens: list[Token]) -> Iterator[re.Match[str]]:
    """Yield each call of a function of one selector over ``$window``, by its tokens."""
    codes = "".join(
        _CODES.get(token.kind, token.text if token.kind is TokenKind.SYMBOL else "?")
        for token in tokens
    )
    yield from _CALL.finditer(codes)


def _rewrite(text: str, write: Callable[[str, str], str]) -> str:
    """Rewrite each call of a function of one selector over ``$window``."""
    tokens = fold_braces(tokenize(text), {})[0]
    solid = [place for place, token in enumerate(tokens) if token.kind is not TokenKind.SPACE]
    parts, end = list[str](), 0
    for call in _calls([tokens[place] for place in solid]):
        first, last = solid[call.start()], solid[call.end() - 1]
        selector = [tokens[solid[place]] for place in range(*call.span(1))]
        parts += [
            write_tokens(tokens[end:first]),
            write(tokens[first].text, write_tokens(selector)),
        ]
        end = last + 1
    return "".join([*parts, write_tokens(tokens[end:])])
