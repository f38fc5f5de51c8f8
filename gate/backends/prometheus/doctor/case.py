"""One SLO on the table: its plan, and every selector in it as a source of events."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.library import Question
from gate.backends.prometheus.doctor.sight import Sight
from gate.backends.prometheus.part import SECOND, Part, Role
from gate.promql.expression import Expression
from gate.promql.selectors import Selector
from gate.slo.diagnosis import Check, Symptom
from gate.slo.window import Span

_NATIVE: Final = re.compile(r"\bhistogram_(?:avg|count|fraction|sum)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A selector, and the part of the indicator that it stands in."""

    role: Role
    text: str
    """As it stands in the expression."""
    selector: Selector
    counter: bool
    """Its increase is taken."""
    others: tuple[str, ...] = ()
    """Selectors of the same expression that may stand in for it: a metric that was renamed."""


class Look(ABC):
    """One check of one SLO: what it asks, and what it makes of the answers."""

    check: ClassVar[Check]
    """The word for it when it could not be done."""

    def parts(self) -> Iterable[Part]:
        """Return what is asked for in the round of all checks."""
        return ()

    def clues(self, sight: Sight) -> Iterable[Part]:
        """Return what else to ask, now that the first answers are there."""
        del sight
        return ()

    def questions(self, sight: Sight) -> Iterable[Question]:
        """Return what else to ask the server beside queries."""
        del sight
        return ()

    @abstractmethod
    def symptoms(self, sight: Sight) -> Iterator[Symptom]:
        """Yield what was seen.

        Raises:
            NotMeasuredError: the server did not answer.
        """


def sources_of(expressions: Mapping[Role, Expression]) -> tuple[Source, ...]:
    """Return every different selector of an indicator, under the first role that it has."""
    found: dict[str, Source] = {}
    for role, expression in expressions.items():
        for text in expression.selectors:
            others = expression.selectors if expression.union else ()
            source = Source(
                role=role,
                text=text,
                selector=Selector.read(text),
                counter=_is_counted(expression, text),
                others=tuple(other for other in others if other != text),
            )
            found.setdefault(text, source)
    return tuple(found.values())


def at_once(text: str, label: str | None = None) -> Part:
    """Ask for a value of now."""
    return Part(pieces=(text,), length=timedelta(), label=label)


def over(text: str, span: Span, label: str | None = None) -> Part:
    """Ask for a value over the whole of a window, written as ``$window``."""
    length = span.length // SECOND * SECOND
    return Part(pieces=tuple(text.split("$window")), length=length, label=label)


def _is_counted(expression: Expression, selector: str) -> bool:
    text = "".join(expression.over("$window").split())
    if _NATIVE.search(text) and not Selector.read(selector).name.endswith("_bucket"):
        return False  # its samples are histograms, which are no numbers
    bare = "".join(selector.split())
    return any(f"{function}({bare}[" in text for function in ("increase", "rate"))
