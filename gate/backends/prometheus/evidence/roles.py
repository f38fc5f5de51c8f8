"""The filters of a role's selectors beside those of all events, and the meaning of label values."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import Role
from gate.dataclass import dataclass
from gate.errors import likeness
from gate.promql.expression import Expression
from gate.promql.selectors import LabelMatcher, Selector

WHOLE: Final = (Role.TOTAL, Role.GOOD, Role.SPENT, Role.GAUGE)
"""The roles of which the first that an indicator has shows whether there are events at all."""
_NATIVE: Final = re.compile(r"\bhistogram_(?:avg|count|fraction|sum)\(")
_OPTIONAL: Final = frozenset({"error.type", "error_type"})
"""Labels that only failures have:
https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-type"""

_CODE: Final = re.compile(r"[1-5][0-9xX]{2}")
_OPPOSITE: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_ANY: Final = {("!=", ""), ("=~", ".+")}
"""Matchers that require a label with any value."""
_GRPC: Final = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
"""https://grpc.io/docs/guides/status-codes/"""
_FAMILIES: Final[tuple[frozenset[str], ...]] = (
    frozenset(map(str, range(100, 600))),
    frozenset(f"{first}xx" for first in range(1, 6)),
    frozenset(f"{first}XX" for first in range(1, 6)),
    frozenset(_GRPC),
    frozenset(name.title().replace("_", "") for name in _GRPC),
    frozenset({"true", "false"}),
    frozenset({"True", "False"}),
)
"""Families of values of which a label has all or none: HTTP status codes, gRPC codes, yes and
no."""
_WORDS: Final = (
    "error|err|fail|failed|failure|exception|timeout|timed[_ -]?out|unavailable|unreachable|crash"
    "|crashed|internal|data[_ -]?loss|deadline[_ -]?exceeded|unhandled|fatal|panic|oom"
)
_WHOSE: Final = "server|internal|system|upstream|backend|model|engine|provider|request|unknown"
FAILING: Final = f"5([0-9][0-9]|[xX][xX])|(?i:(({_WHOSE})[_ .-]?)?({_WORDS})([_ -]?error)?)"
"""A pattern for a whole label value that says that the server failed."""
_ALIKE: Final = 0.75


def could_match(matcher: LabelMatcher, values: Collection[str]) -> bool | None:
    """Return whether another value of the same family could match; None: unknown."""
    given = {value for value in values if value}
    family = next((family for family in _FAMILIES if given and given <= family), None)
    if family is None:
        return None
    fits = [matcher.matches(value) for value in family]
    return None if None in fits else any(fits)


def misspelt(matcher: LabelMatcher, values: Iterable[str]) -> bool:
    """Return whether one of the values looks like a misspelling of the value in a plain matcher."""
    plain = [part for part in matcher.value.split("|") if re.fullmatch(r"[\w .-]+", part)]
    return any(likeness(part, value) >= _ALIKE for part in plain for value in values)


def says_failure(value: str) -> bool:
    """Return whether a label's value says that the server failed."""
    return re.fullmatch(FAILING, value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFilter:
    """The conditions of a selector on one label."""

    label: str
    matchers: tuple[LabelMatcher, ...]
    """The matchers, at least one."""

    @property
    def permits_absence(self) -> bool:
        """Whether series without the label match, as with ``code!="500"``."""
        return all(matcher.matches("") for matcher in self.matchers)

    @property
    def optional(self) -> bool:
        """Whether it is correct that no series has the label, since only some events have it."""
        wanted = {(matcher.operator, matcher.value) for matcher in self.matchers}
        return not wanted.isdisjoint(_ANY) or self.label in _OPTIONAL

    @property
    def excludes(self) -> bool:
        """Whether some values are excluded by name."""
        return any(matcher.operator in {"!=", "!~"} for matcher in self.matchers)

    def fits(self, value: str) -> bool:
        """Return whether a value matches; an unreadable pattern counts as a match."""
        return all(matcher.matches(value) is not False for matcher in self.matchers)

    def never_fits(self, values: Collection[str]) -> bool:
        """Return whether it matches no value of the family that all of these belong to."""
        sure = len(values) > 1 or any(map(_CODE.fullmatch, values))
        return sure and any(could_match(matcher, values) is False for matcher in self.matchers)


Tables = Mapping[LabelFilter, Mapping[str, Fraction]]
"""The number of series by the values of each label."""


def all_failed(tables: Tables) -> bool:
    """Return whether all observed values may be failures, so that no good event is expected."""
    for wanted, table in tables.items():
        values = [value for value in table if value]
        plain = all(says_failure(value) or _CODE.fullmatch(value) for value in values)
        if values and plain and not wanted.never_fits(values):
            return True
    return False


def cannot_match(tables: Tables) -> bool:
    """Return whether some filter matches no value of the family that its label has."""
    return any(wanted.never_fits(table) for wanted, table in tables.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSelector:
    """A selector of good or of bad events, and the series from which it selects."""

    role: Role
    selector: Selector
    base: Selector
    """The same metric with only the matchers of all events."""
    filters: tuple[LabelFilter, ...]
    """The conditions that distinguish these events from the others."""
    own_metric: bool
    """Whether another metric counts all events."""
    others: tuple[Selector, ...]
    """The alternatives in the same expression: ``a or b``."""

    def may_count_without(self, wanted: LabelFilter) -> bool:
        """Return whether the events without a label are part of the total."""
        return not (wanted.optional or self.own_metric)


def whole_of(expressions: Mapping[Role, Expression]) -> Role | None:
    """Return the role that counts all events; None: no selector does."""
    return next((r for r in WHOLE if r in expressions and expressions[r].selectors), None)


def judged_selectors(
    expressions: Mapping[Role, Expression], whole: Role
) -> Iterator[JudgedSelector]:
    """Yield the selectors to judge in addition to all events, which one role counts."""
    every = [Selector.read(text) for text in expressions[whole].selectors]
    for role in (Role.BAD, Role.GOOD):
        if role is not whole and role in expressions:
            for text in expressions[role].selectors:
                yield _judged(role, Selector.read(text), every, expressions[role])


def rest_of_good(judged: Iterable[JudgedSelector], whole: Expression) -> Iterator[JudgedSelector]:
    """Yield the selectors of bad events where these are the total minus the good ones.

    There are none if that is not a single selector, as with two labels, or with buckets, which
    contain events of several.
    """
    for good in judged:
        matchers = [matcher for wanted in good.filters for matcher in wanted.matchers]
        if good.own_metric or len(matchers) != 1 or matchers[0].label == "le":
            continue
        other = replace(matchers[0], operator=_OPPOSITE[matchers[0].operator])
        for text in whole.selectors:
            every = Selector.read(text)
            if every.name == good.selector.name:
                rest = every.only((*every.matchers, other))
                yield replace(good, role=Role.BAD, selector=rest, filters=())


def _judged(
    role: Role, selector: Selector, every: list[Selector], expression: Expression
) -> JudgedSelector:
    same = [other for other in every if other.name == selector.name]
    shared = {matcher for other in same or every for matcher in other.matchers}
    rest = [matcher for matcher in selector.matchers if matcher not in shared]
    common = [matcher for matcher in selector.matchers if matcher in shared]
    replaceable = expression.union and not expression.joint
    others = map(Selector.read, expression.selectors if replaceable else ())
    return JudgedSelector(
        role=role,
        selector=selector,
        base=selector.only(common),
        filters=tuple(_filters(rest)),
        own_metric=not same,
        others=tuple(others),
    )


def _filters(matchers: Iterable[LabelMatcher]) -> Iterator[LabelFilter]:
    by_label: dict[str, list[LabelMatcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    for label, own in by_label.items():
        yield LabelFilter(label=label, matchers=tuple(own))


def is_counted(expression: Expression, selector: str) -> bool:
    """Return whether the increase or the rate of a selector is taken, and is a number."""
    text = "".join(expression.over("$window").split())
    if _NATIVE.search(text) and not Selector.read(selector).name.endswith("_bucket"):
        return False  # its samples are histograms, which are not numbers
    bare = "".join(selector.split())
    return any(f"{function}({bare}[" in text for function in ("increase", "rate"))
