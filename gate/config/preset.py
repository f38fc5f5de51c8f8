"""A preset: the indicators of a server or of a log, by kind."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from fractions import Fraction
from typing import Final

from gate.backends.records import Records
from gate.dataclass import dataclass

ALL_FAILURES: Final = "errors"
"""The only kind whose bad events are all failures of the service."""
EVALUATION: Final = "faithfulness"
KINDS: Final[Mapping[str, str]] = {
    ALL_FAILURES: "requests that failed",
    "availability": "time in which the service was up",
    "latency": "requests answered whole within a threshold",
    "time-to-first-token": "requests whose first token came within a threshold",
    "inter-token-latency": "tokens, or requests by their mean, within a threshold of each other",
    "content-safety": "answers that broke a rule on content, or that a guardrail stopped",
    EVALUATION: "judged answers that the sources do not support; also called hallucination",
    "user-reported-errors": "answers that users complained about",
    "degenerate-output": "answers that repeat themselves or make no sense",
    "cost-per-query": "requests that cost at most a threshold",
    "spend": "money or tokens spent, for an allowance",
    "inference-failures": "failures of the engine itself: out of memory, broken workers",
    "drift": "time in which a score of drift, such as that of embeddings, is within a threshold",
}
"""The kinds of indicator, named alike in every preset file; each of the gate's own has all."""
ALIASES: Final = {"hallucination": EVALUATION}
ROLES: Final = ("bad", "good", "total", "gauge", "spent", "objective")
INSTANT: Final = frozenset({"gauge", "objective"})
"""The roles whose expressions are values at an instant, without a window."""
Texts = Mapping[str, Mapping[str, str]]
"""By placeholder and role, the text that takes its place."""
_HEALTH_CHECKS: Final = "health_checks"
"""The option on requests that a server sends to itself ..."""
_INCLUDED: Final = "included"
"""... and the choice that counts them."""
_PLACEHOLDER: Final = re.compile(r"\$([a-z][a-z_]*)")
_OWN: Final = frozenset({"window", "labels", "threshold"})
"""Placeholders that are filled in by whoever counts, or by the policy's own keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something on which honest people differ, or a name that only the team knows."""

    about: str
    default: str | None = None
    """None: no default is safe, and the policy must choose."""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The text that replaces the placeholder, by choice and role."""
    pattern: str | None = None
    """Given instead of choices: any text of this form takes its place."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The other options that it speaks of."""
        texts = [text for roles in self.choices.values() for text in roles.values()]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN

    def usual(self, key: str) -> str:
        """Return the default, or without one what a first policy has: a choice, or a name."""
        return self.default or next(iter(self.choices), f"my-{key}")

    def texts(self, chosen: str) -> Mapping[str, str]:
        """By role, the text that takes the placeholder's place if this is chosen."""
        return self.choices[chosen] if self.pattern is None else dict.fromkeys(ROLES, chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to measure an indicator: expressions by role, a histogram, or a column."""

    expressions: Mapping[str, str]
    histogram: str | None = None
    column: str | None = None
    unit: str | None = None
    """The unit of the threshold: one of `UNITS`, or empty for a bare number; None: it takes
    none."""
    boundaries: tuple[Fraction, ...] = ()
    """The boundaries of the histogram by default, in its unit; empty: not known."""
    sliced: bool = False
    """The expressions count slices of time, not events."""
    notes: tuple[str, ...] = ()
    """The notes of every report that uses this indicator."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The options that it speaks of."""
        texts = [*self.expressions.values(), self.histogram or ""]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetIndicator:
    """One kind of indicator of one server."""

    about: str
    families: tuple[Family, ...] = ()
    """Newest names first; empty: the server has no such signal; ``about`` says what to use."""
    options: Mapping[str, Option] = field(default_factory=dict)
    threshold: str | None = None
    """One that works by default; None: it takes none."""
    requires: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def with_health_checks(self, given: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
        """Return the options that count what a server sends to itself, if those given do not."""
        option = self.options.get(_HEALTH_CHECKS)
        if option is None or given.get(_HEALTH_CHECKS, option.default) == _INCLUDED:
            return ()
        return ({**given, _HEALTH_CHECKS: _INCLUDED},)

    def texts(self, given: Mapping[str, str]) -> Texts:
        """Return what takes the place of the placeholders, by the options that are given."""
        return {
            key: option.texts(chosen)
            for key, option in self.options.items()
            if (chosen := given.get(key, option.default)) is not None
        }

    def variants(self) -> Iterator[Texts]:
        """Yield what takes the place of the placeholders: by default, and for each other choice.

        An option without a default has its first choice, or ``my-`` and its name.
        """
        usual = {key: option.texts(option.usual(key)) for key, option in self.options.items()}
        usual["threshold"] = dict.fromkeys(ROLES, "1")
        yield usual
        for key, option in self.options.items():
            yield from ({**usual, key: texts} for texts in option.choices.values())


UNSAID: Final = PresetIndicator(about="the preset's file does not mention it")
"""An indicator whose kind is not in a file of the policy's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """All that is known of one server or one format of request logs."""

    title: str
    about: str
    backend: str
    indicators: Mapping[str, PresetIndicator]
    sources: tuple[str, ...]
    labels: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """Labels that every indicator needs from the policy."""
    boundary_flag: str | None = None
    notes: tuple[str, ...] = ()
    records: Records | None = None
    """The records of the log's rows; None: this is not a preset for logs."""


def fill(text: str, role: str, options: Texts) -> str:
    """Put the options' texts in the place of their placeholders; `_OWN` ones stay.

    The text of an option may speak of other options, and never of itself.
    """

    def filled(placeholder: re.Match[str]) -> str:
        option = options.get(placeholder[1])
        if option is None:
            return placeholder[0]
        others = {key: texts for key, texts in options.items() if key != placeholder[1]}
        return fill(option.get(role, ""), role, others)

    return _PLACEHOLDER.sub(filled, text)
