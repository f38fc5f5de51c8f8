"""What the formats have in common: names, objectives, queries, and the way to an SLO."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

import yaml

from gate.config.slo_entries import Placed
from gate.config.slo_schema import SLO
from gate.parsing.reader import Reader
from gate.parsing.schema import (
    Anything,
    Field,
    Object,
    Scalar,
    TaggedUnion,
    Values,
    ValueSchema,
)
from gate.parsing.values import NAME, NUMBER, TEXT
from gate.promql.counting import (
    Count,
    Quotient,
    is_selector,
    read_count,
    read_quotient,
    rest_of,
    with_absent_parts,
)
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Denominator
from gate.slo.window import Window

_WHOLE: Final = 100


_TEMPLATE: Final = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")


T = TypeVar("T")


PASSED_OVER: Final = Field(schema=Anything(), doc="Changes nothing here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SloDraft:
    """An SLO with an objective, as a file has it."""

    name: str
    objective: Fraction
    sli: Sli
    node: yaml.Node
    """Where it is written."""
    slices: Slices | None = None

    def placed(self, window: tuple[Window, Denominator], reader: Reader) -> Placed:
        """Return the SLO, checked as the policy's own are.

        Raises:
            UnreadableError: its parts do not go together; the mistake is noted.
        """
        values = {
            "name": self.name,
            "objective": self.objective,
            "sli": self.sli,
            "window": window,
        }
        if self.slices is not None:
            values["timeslices"] = self.slices
        return place(values, self.node, reader)


def place(values: dict[str, Any], node: yaml.Node, reader: Reader) -> Placed:
    """Return the SLO that the policy would have for these keys."""
    slo = SLO.build(Values(values=values, nodes={"": node}), reader)
    return Placed(slo=slo, node=node, reader=reader, imported=True)


METADATA: Final = Object(
    {"name": Field(schema=NAME, doc="The name.", required=True)},
    lambda values, _: values,
    others=PASSED_OVER,
)
"""Of a Kubernetes resource, or what looks like one."""


def resources(specs: Mapping[str, ValueSchema[T]]) -> TaggedUnion[tuple[Values, T]]:
    """Return the schema of resources by kind, read as their metadata and what their specs say."""
    return TaggedUnion("kind", {kind: _resource(spec) for kind, spec in specs.items()})


def _resource(spec: ValueSchema[T]) -> Object[tuple[Values, T]]:
    return Object(
        {
            "apiVersion": PASSED_OVER,
            "kind": PASSED_OVER,
            "metadata": Field(schema=METADATA, doc="Its name.", required=True),
            "spec": Field(schema=spec, doc="What it says.", required=True),
            "status": PASSED_OVER,
        },
        lambda values, _: (values.get("metadata"), values.get("spec")),
    )


def _percentage(text: str) -> Fraction:
    percentage = NUMBER.parse(text)
    if not 0 < percentage < _WHOLE:
        raise ValueError(f"{text} is not between 0 and 100; at 100 there is no budget to spend")
    if percentage <= 1:
        raise ValueError(f"this is in percent: {text} is {text} %; write 99.9 for 99.9 %")
    return percentage / _WHOLE


def _share(text: str) -> Fraction:
    share = NUMBER.parse(text)
    if not 0 < share < 1:
        raise ValueError(
            f"{text} is not between 0 and 1, as 0.999 is; at 1 there is no budget to spend"
        )
    return share


def with_window(text: str) -> str:
    """Return a query with ``$window`` for ``{{.window}}``.

    Raises:
        ValueError: another template stands in it.
    """
    filled = _TEMPLATE.sub("$window", text)
    if "{{" in filled:
        raise ValueError("of templates, only {{.window}} can be filled in")
    return filled


def ratio_sli(role: str, part: Count, total: Count) -> Sli:
    """Return the indicator of the good or the bad events, by their role, of all events.

    Raises:
        ValueError: they cannot be divided, or the bad ones cannot be told from none.
    """
    if part.rate != total.rate:
        raise ValueError("one side is a rate and the other a count: no share of events comes of it")
    if role == "good":
        return Sli(good=part.text, total=total.text)
    good = rest_of(total.text, part.text)
    if good is not None:  # all but the good ones; where these are absent, all would seem good
        return Sli(good=good, total=total.text)
    return Sli(bad=with_absent_parts(part.text), total=total.text)


def quotient_sli(text: str, *, failures: bool, advice: str) -> Sli:
    """Return the indicator of a query that is one count divided by another.

    Args:
        text: the query, with ``$window``.
        failures: the share is that of bad events.
        advice: what to write where there are no counts.

    Raises:
        ValueError: it is none.
    """
    quotient = read_quotient(text)
    if quotient is None:
        raise ValueError(
            "of a ratio alone it is not known of how many events; write one count over the window"
            f" divided by another, or {advice}"
        )
    return divided_sli(quotient, failures=failures)


def divided_sli(quotient: Quotient, *, failures: bool) -> Sli:
    """Return the indicator of one count divided by another.

    Args:
        quotient: both its sides over ``$window``.
        failures: the share is that of bad events.

    Raises:
        ValueError: a side is no count, or they cannot be divided.
    """
    role = "bad" if failures != quotient.complement else "good"
    return ratio_sli(role, read_count(quotient.numerator), read_count(quotient.denominator))


def _selector(text: str) -> str:
    if not is_selector(text):
        raise ValueError('one metric was expected, with or without labels: requests_total{a="b"}')
    return text.strip()


def query(parse: Callable[[str], T]) -> Scalar[T]:
    """Return the schema of a query with ``{{.window}}`` in it."""
    return Scalar(lambda text: parse(with_window(text)), TEXT.json)


PERCENTAGE: Final = Scalar(_percentage, NUMBER.json)


SHARE_BELOW_ONE: Final = Scalar(_share, NUMBER.json)


SELECTOR: Final = Scalar(_selector, TEXT.json)


COUNT: Final = query(read_count)
