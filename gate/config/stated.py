"""The keys of a case about one SLO: its budget, and other facts."""

from fractions import Fraction
from typing import Final

from gate.config.cases import StatedIncident, StatedSignal, StatedSlo, StatedSuspicion
from gate.measure import Cause
from gate.parsing.numbers import ABOVE_ZERO, NUMBER, SHARE
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar
from gate.parsing.values import BOOLEAN, DURATION, INSTANT
from gate.slo.quantities import parse_ratio

SUSPICIONS: Final = (
    *(Cause.UNMATCHED, Cause.BORN, Cause.CONTRADICTED),
    *(Cause.LOST, Cause.UNKNOWN_OUTCOME),
)
"""The causes that accompany a count, each with a number."""
UNMEASURED: Final = (
    *(Cause.NO_DATA, Cause.NO_TRAFFIC, Cause.INVALID),
    *(Cause.STALE, Cause.PARTIAL, Cause.BACKEND_ERROR),
)
"""The causes for which a backend has no number at all."""
_AMOUNTS: Final = (("total", "bad"), ("remaining",), ("spent",), ("unmeasured",))
"""Sets of keys that go together; a statement has the keys of exactly one set."""
_BESIDE_A_NUMBER: Final = ("newest", "coverage", "partial", "suspicions")


def _remaining(text: str) -> Fraction:
    share = parse_ratio(text)
    if share > 1:
        raise ValueError(f"{text}: a budget has at most 100% left; -50% is overspent by half")
    return share


def _taken(text: str) -> Fraction:
    share = parse_ratio(text)
    if share <= 0:
        raise ValueError(f"{text} must be above 0%")
    return share


def _count_or_any(text: str) -> Fraction | None:
    if text == "any":
        return None
    number = NUMBER.parse(text)
    if number < 0:
        raise ValueError(f"{text} is negative; write 0 or more, or any")
    return number


def _not_negative(text: str) -> Fraction:
    number = NUMBER.parse(text)
    if number < 0:
        raise ValueError(f"{text} is negative")
    return number


def _total(text: str) -> Fraction:
    number = NUMBER.parse(text)
    if number <= 0:
        raise ValueError(f"{text} is not above zero; without events state unmeasured: no_traffic")
    return number


def _burn_rate(text: str) -> Fraction | Cause:
    return Choice(UNMEASURED).parse(text) if text[:1].isalpha() else _not_negative(text)


_NUMBERS: Final = {"type": ["number", "string"]}
_COUNTED: Final = Scalar(_not_negative, {**_NUMBERS, "minimum": 0})
_TOTAL: Final = Scalar(_total, ABOVE_ZERO.json)
_HIDDEN: Final = Scalar(_count_or_any, {**_NUMBERS, "examples": [120, "any"]})
_SHARES: Final = {"type": ["string", "number"]}
_REMAINING: Final = Scalar(_remaining, {**_SHARES, "examples": ["42%", "-20%"]})
_TAKEN: Final = Scalar(_taken, {**_SHARES, "examples": ["35%", "250%"]})


def _suspicion(values: Values, reader: Reader) -> StatedSuspicion:
    if not values.given("hidden", "doubtful"):
        message = (
            "say how many events are in doubt: hidden, doubtful, or both; any means any number"
        )
        raise reader.fail(values.node(), message)
    return StatedSuspicion(**values.values)


def check_stretch(values: Values, reader: Reader) -> None:
    """Note a stretch of time that ends before it begins.

    Raises:
        UnreadableError: it does.
    """
    end = values.get("end")
    if end is not None and end <= values.get("start"):
        raise reader.fail(values.node("end"), "the end is not after the start")


def _incident(values: Values, reader: Reader) -> StatedIncident:
    check_stretch(values, reader)
    if len(values.given("share", "bad")) != 1:
        message = "give exactly one of share and bad: share: 35%, or bad: 400"
        raise reader.fail(values.node(), message)
    absent = dict.fromkeys(("end", "share", "bad"))
    return StatedIncident(**{**absent, **values.values}, nodes=values.nodes)


def _signal(values: Values, reader: Reader) -> StatedSignal:
    check_stretch(values, reader)
    return StatedSignal(**{"end": None, **values.values}, nodes=values.nodes)


_START: Final = Field(schema=INSTANT, doc="RFC 3339: 2026-11-20T14:00:00Z.", required=True)
_END: Final = Field(schema=INSTANT, doc="The end; left out while it goes on.")
_INCIDENT: Final = Object(
    {
        "start": _START,
        "end": _END,
        "share": Field(schema=_TAKEN, doc="Share of the budget that the incident took: 35%."),
        "bad": Field(schema=ABOVE_ZERO, doc="Number of bad events in it, instead of share."),
    },
    _incident,
)
_SUSPICION: Final = Object(
    {
        "cause": Field(
            schema=Choice(SUSPICIONS),
            doc="Cause, with the name that it has under on.",
            required=True,
        ),
        "hidden": Field(
            schema=_HIDDEN, doc="Number of further events that may have been bad: 120, or any."
        ),
        "doubtful": Field(
            schema=_HIDDEN, doc="Number of bad events that may have been good: 120, or any."
        ),
    },
    _suspicion,
)
_SIGNAL: Final = Object({"start": _START, "end": _END}, _signal)


def _statement(values: Values, reader: Reader) -> StatedSlo:
    whole = [keys for keys in _AMOUNTS if values.given(*keys)]
    if len(whole) != 1 or len(values.given(*whole[0])) < len(whole[0]):
        message = (
            "give exactly one statement of the remaining budget: total and bad, remaining: 42%,"
            " spent: 1200,"
            " or unmeasured: no_data"
        )
        raise reader.fail(values.node(), message)
    if values.given("rounding") and not values.given("remaining"):
        message = "rounding can only be used with remaining"
        raise reader.fail(values.node("rounding"), message)
    if values.given("unmeasured") and (stray := values.given(*_BESIDE_A_NUMBER)):
        message = f"{stray[0]} needs a number beside it, and nothing was measured"
        raise reader.fail(values.node(stray[0]), message)
    counts = (values.get("total"), values.get("bad")) if values.given("total") else None
    if counts is not None and counts[1] > counts[0]:
        raise reader.fail(values.node("bad"), "bad is more than total")
    others = {key: value for key, value in values.values.items() if key not in _AMOUNTS[0]}
    return StatedSlo(counts=counts, **others, nodes=values.nodes)


_LEFT: Final = {
    "remaining": Field(schema=_REMAINING, doc="Remaining budget: 42%, or -20%."),
    "unmeasured": Field(schema=Choice(UNMEASURED), doc="Cause of a missing number: no_data."),
}
STATED_SLO: Final = Object(
    {
        "total": Field(
            schema=Scalar(_total, ABOVE_ZERO.json), doc="Events over the SLO's window; with bad."
        ),
        "bad": Field(schema=_COUNTED, doc="Number of bad events among them."),
        **_LEFT,
        "rounding": Field(
            schema=_TAKEN, doc="Possible rounding error of remaining, as a platform rounds it: 3%."
        ),
        "spent": Field(schema=_COUNTED, doc="Spent amount of an allowance."),
        "burn_rates": Field(
            schema=MapOf(Scalar(_burn_rate, {**_NUMBERS, "examples": [14.4, "no_traffic"]})),
            doc="Burn rates by window: {1h: 20, 5m: 15}, or the cause of a missing one. Default:"
            " 0.",
        ),
        "newest": Field(schema=DURATION, doc="Age of the newest sample. Default: new."),
        "coverage": Field(schema=SHARE, doc="Share of the window with data. Default: 100%."),
        "partial": Field(
            schema=BOOLEAN, doc="Whether the backend reports that its answer is partial."
        ),
        "suspicions": Field(schema=ListOf(_SUSPICION), doc="Reasons to doubt the count."),
        "incidents": Field(schema=ListOf(_INCIDENT), doc="Incidents in which the budget burned."),
        "signals": Field(
            schema=ListOf(_SIGNAL), doc="Signals of control charts that are out of control."
        ),
        "history": Field(schema=Choice(UNMEASURED), doc="Cause of an unknown past."),
    },
    _statement,
)
"""The keys of a case for an SLO that it names."""


def _others(values: Values, reader: Reader) -> StatedSlo:
    if len(values.values) != 1:
        message = "give exactly one of these for all other SLOs: remaining, or unmeasured"
        raise reader.fail(values.node(), message)
    return StatedSlo(**values.values, nodes=values.nodes)


OTHERS: Final[Object[StatedSlo]] = Object(_LEFT, _others)
"""The keys of a case for all other SLOs."""
