"""A preset: the indicators of a server or of a request log, by kind."""

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
"""The kinds of indicator; every preset file uses these names, and each built-in one has them
all."""
ALIASES: Final = {"hallucination": EVALUATION}
ROLES: Final = ("bad", "good", "total", "gauge", "spent", "objective")
INSTANT: Final = frozenset({"gauge", "objective"})
"""The roles whose expressions are values at an instant, without a window."""
Texts = Mapping[str, Mapping[str, str]]
"""The texts that replace placeholders, by placeholder and role."""
_HEALTH_CHECKS: Final = "health_checks"
"""The option that controls whether requests of a server to itself count, ..."""
_INCLUDED: Final = "included"
"""... and the choice that counts them."""
_PLACEHOLDER: Final = re.compile(r"\$([a-z][a-z_]*)")
_OWN: Final = frozenset({"window", "labels", "threshold"})
"""The placeholders that are filled in by the counting code, or from other keys of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice on which teams differ with good reason, or a name that only the team knows."""

    about: str
    default: str | None = None
    """None if no default is safe: the policy must choose."""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The text that replaces the placeholder, by choice and role."""
    pattern: str | None = None
    """Alternative to choices: any text that matches this pattern replaces the placeholder."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The other options that its texts contain."""
        texts = [text for roles in self.choices.values() for text in roles.values()]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN

    def usual(self, key: str) -> str:
        """Return the default; without one, the choice or name for a first policy."""
        return self.default or next(iter(self.choices), f"my-{key}")

    def texts(self, chosen: str) -> Mapping[str, str]:
        """Return the text of a choice that replaces the placeholder, by role."""
        return self.choices[chosen] if self.pattern is None else dict.fromkeys(ROLES, chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to measure an indicator: expressions by role, a histogram, or a column."""

    expressions: Mapping[str, str]
    histogram: str | None = None
    column: str | None = None
    unit: str | None = None
    """The unit of the threshold: a member of `UNITS`, or empty for a bare number; None: no
    threshold."""
    boundaries: tuple[Fraction, ...] = ()
    """The default boundaries of the histogram, in its unit; empty if unknown."""
    sliced: bool = False
    """Whether the expressions count slices of time, not events."""
    notes: tuple[str, ...] = ()
    """The notes of every report that uses this indicator."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The options that its texts contain."""
        texts = [*self.expressions.values(), self.histogram or ""]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetIndicator:
    """One kind of indicator of one server."""

    about: str
    families: tuple[Family, ...] = ()
    """The newest names first; empty if the server has no such signal: ``about`` names an
    alternative."""
    options: Mapping[str, Option] = field(default_factory=dict)
    threshold: str | None = None
    """A threshold that works by default; None if the indicator takes none."""
    requires: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def with_health_checks(self, given: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
        """Return the options that make a server's requests to itself count; empty if they do."""
        option = self.options.get(_HEALTH_CHECKS)
        if option is None or given.get(_HEALTH_CHECKS, option.default) == _INCLUDED:
            return ()
        return ({**given, _HEALTH_CHECKS: _INCLUDED},)

    def texts(self, given: Mapping[str, str]) -> Texts:
        """Return the texts that replace the placeholders, for the given options."""
        return {
            key: option.texts(chosen)
            for key, option in self.options.items()
            if (chosen := given.get(key, option.default)) is not None
        }

    def variants(self) -> Iterator[Texts]:
        """Yield the texts for the placeholders: by default, and for each other choice.

        An option without a default has its first choice, or ``my-`` and its name.
        """
        usual = {key: option.texts(option.usual(key)) for key, option in self.options.items()}
        usual["threshold"] = dict.fromkeys(ROLES, "1")
        yield usual
        for key, option in self.options.items():
            yield from ({**usual, key: texts} for texts in option.choices.values())


UNSAID: Final = PresetIndicator(about="the preset's file does not mention it")
"""An indicator whose kind is missing in a policy's own preset file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything that is known about one server or one format of request logs."""

    title: str
    about: str
    backend: str
    indicators: Mapping[str, PresetIndicator]
    sources: tuple[str, ...]
    labels: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """The labels that a policy must give for every indicator."""
    boundary_flag: str | None = None
    notes: tuple[str, ...] = ()
    records: Records | None = None
    """The records in the log's rows; None: this is not a preset for logs."""


def fill(text: str, role: str, options: Texts) -> str:
    """Replace the placeholders of options with their texts; those of `_OWN` stay.

    The text of an option may contain other options, but never itself.
    """

    def filled(placeholder: re.Match[str]) -> str:
        option = options.get(placeholder[1])
        if option is None:
            return placeholder[0]
        others = {key: texts for key, texts in options.items() if key != placeholder[1]}
        return fill(option.get(role, ""), role, others)

    return _PLACEHOLDER.sub(filled, text)
