"""The types of options, and the options that several commands share."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import click

from gate.budget.impact import Impact
from gate.errors import nearest
from gate.parsing.values import ABOVE_ZERO, SHARE, parse_instant
from gate.policy.override import Override
from gate.slo.quantities import parse_duration


class Parsed(click.ParamType[Any]):
    """An option whose text a function reads; its ValueError becomes a usage error."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the parsed value; click hands defaults over as text, too."""
        try:
            return self._parse(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise ValueError(f"{text!r} is no NAME=VALUE")
    return name, value


def _copy_in(formats: Collection[str]) -> Callable[[str], tuple[str, str]]:
    def copy(text: str) -> tuple[str, str]:
        name, path = _pair(text)
        if name not in formats:
            raise ValueError(f"{name!r} is no format{nearest(name, formats)}")
        return name, path

    return copy


_IMPACT: Final[dict[str, Callable[[str], Fraction | timedelta]]] = {
    "canary": SHARE.parse,
    "failures": SHARE.parse,
    "detect": parse_duration,
}


def parse_impact(text: str) -> Impact:
    """Read ``canary=10%,failures=100%,detect=5m``; what is left out is all, all and 5m.

    Raises:
        ValueError: a part that is unknown, doubled or unreadable.
    """
    given: dict[str, Any] = {}
    for part in text.split(","):
        name, value = _pair(part.strip())
        if name not in _IMPACT:
            raise ValueError(f"{name!r} is no part of an impact{nearest(name, _IMPACT)}")
        if name in given:
            raise ValueError(f"{name} stands twice")
        given[name] = _IMPACT[name](value)
    return Impact(**given)


def _past(text: str) -> datetime:
    instant = parse_instant(text)
    if instant > datetime.now(UTC):
        raise ValueError(f"{text} has not come yet: a budget is measured, not foretold")
    return instant


def one_override(
    reason: str | None, approved_by: str | None, until: datetime | None
) -> Override | None:
    """Return the override that three options together ask for; None where none of them is given.

    Raises:
        UsageError: some are given and some are not.
    """
    given = {"--override": reason, "--approved-by": approved_by, "--until": until}
    missing = [name for name, value in given.items() if value is None]
    if reason is None or approved_by is None or until is None:
        if len(missing) < len(given):
            raise click.UsageError(f"an override also needs {' and '.join(missing)}")
        return None
    return Override(reason=reason, approved_by=approved_by, until=until)


UNTIL: Final = Parsed("time", parse_instant)
INSTANT: Final = Parsed("time", _past)
DURATION: Final = Parsed("duration", parse_duration)
RATE: Final = Parsed("rate", ABOVE_ZERO.parse)
PORTION: Final = Parsed("share", SHARE.parse)
IMPACT: Final = Parsed("impact", parse_impact)
EVIDENCE: Final = Parsed("name=evidence", _pair)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def measuring(formats: Collection[str], default: str = "terminal") -> Decorator:
    """Add what every command that measures takes: policies, instant, format, copies, timeout."""
    decorators: list[Decorator] = [
        click.argument("policies", metavar="POLICY...", nargs=-1, required=True),
        click.option(
            "--at",
            type=INSTANT,
            help="Measure at this RFC 3339 instant instead of now: 2026-11-20T14:00:00Z.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(tuple(formats)),
            default=default,
            show_default=True,
            help="Of the report on stdout.",
        ),
        click.option(
            "--output",
            "copies",
            type=Parsed("format=file", _copy_in(formats)),
            multiple=True,
            help="Also write the report to a file, in this format. Can be repeated.",
        ),
        click.option(
            "--timeout",
            type=DURATION,
            default="60s",
            show_default=True,
            help="For everything that a backend does.",
        ),
    ]
    return _all_of(decorators)


def looking_back(last: str) -> Decorator:
    """Add what every command that looks for incidents takes; so far back unless told otherwise."""
    decorators: list[Decorator] = [
        click.option(
            "--last", type=DURATION, default=last, show_default=True, help="How far to look back."
        ),
        click.option(
            "--threshold",
            type=RATE,
            default="6",
            show_default=True,
            help="The burn rate at which an incident begins; it ends below half of it.",
        ),
        click.option(
            "--least",
            type=PORTION,
            default="2%",
            show_default=True,
            help="The share of a budget that an incident costs at least; others are summed up.",
        ),
        click.option(
            "--step", type=DURATION, default="5m", show_default=True, help="How finely to look."
        ),
        click.option(
            "--known",
            "known",
            metavar="FILE",
            multiple=True,
            help="Known incidents: a file, a folder, or a glob in quotes. Can be repeated.",
        ),
        click.option(
            "--deploys",
            metavar="SOURCE",
            help="Deploys: a file in JSON Lines, github, or github:ENVIRONMENT. Those before an"
            " incident are shown.",
        ),
    ]
    return _all_of(decorators)


def _all_of(decorators: Sequence[Decorator]) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
