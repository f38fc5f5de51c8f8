"""The values of options: each kind reads a text, and its message gives the right form."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Final

import click

from gate.errors import nearest
from gate.parsing.numbers import ABOVE_ZERO, SHARE
from gate.parsing.values import parse_instant
from gate.slo.quantities import parse_duration, parse_size


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


class SingleValue(click.Choice[str]):
    """An option with a single valid value, which the message names."""

    def __init__(self, value: str) -> None:
        super().__init__([value])

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Say what to write; click says only that one word is not the other."""
        return f"{value!r} is not a valid value; write {', '.join(self.choices)}"


def pair_of(text: str, form: str = "NAME=VALUE") -> tuple[str, str]:
    """Split ``NAME=VALUE``.

    Args:
        text: the text, split at the first ``=``.
        form: the expected form, for the message.

    Raises:
        ValueError: a part is missing.
    """
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise ValueError(f"{text!r} is not of the form {form}")
    return name, value


def evidence_of(text: str) -> tuple[str, str]:
    """Split ``NAME=EVIDENCE``, a requirement and its evidence; raises ValueError."""
    return pair_of(text, "NAME=EVIDENCE, such as shadow=https://example.com/runs/7")


def copy_in(formats: Collection[str]) -> Callable[[str], tuple[str, str]]:
    """Return a function that splits ``FORMAT=FILE``; it raises ValueError for an unknown format."""

    def copy(text: str) -> tuple[str, str]:
        name, path = pair_of(text, "FORMAT=FILE, such as json=report.json")
        if name not in formats:
            raise ValueError(f"{name!r} is not a format of this command{nearest(name, formats)}")
        return name, path

    return copy


def _past(text: str) -> datetime:
    instant = parse_instant(text)
    if instant > datetime.now(UTC):
        raise ValueError(f"{text} is in the future; --at must not be later than now")
    return instant


INSTANT: Final = Parsed("time", _past)
DATE: Final = Parsed("time", parse_instant)
"""A date; it may be in the future."""
DURATION: Final = Parsed("duration", parse_duration)
SIZE: Final = Parsed("size", parse_size)
RATE: Final = Parsed("rate", ABOVE_ZERO.parse)
PORTION: Final = Parsed("share", SHARE.parse)
