"""The requirements of a tier: a bare name, an evaluation, or a shadow deployment."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import yaml

from gate.config.evaluation_schema import EVALUATION
from gate.errors import nearest
from gate.parsing.nodes import child_at
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import JsonSchema, ListOf, Scalar, pairs
from gate.parsing.values import DURATION, NAME, TEXT
from gate.policy.requirements import Claim, Requirement, ShadowRequirement
from gate.policy.tiers import Tier
from gate.slo.objective import Slo
from gate.slo.quantities import parse_ratio

_LARGEST_MARGIN: Final = 10
"""The largest margin, in whole budgets; above it, nearly all requests of most services could
fail."""


def _margin(text: str) -> Fraction:
    margin = parse_ratio(text)
    if margin <= 0:
        raise ValueError(
            f"{text} must be above 0%: no number of requests shows that two deployments are"
            " exactly alike; write for example 10%"
        )
    if margin > _LARGEST_MARGIN:
        raise ValueError(f"{text} is more than ten whole budgets; write 1000% or less")
    return margin


_MARGIN: Final = Scalar(
    _margin,
    {
        "type": ["string", "number"],
        "exclusiveMinimum": 0,
        "pattern": r"^\s*\+?(?=[0-9.]*[1-9])[0-9]*\.?[0-9]*\s*%?\s*$",
        "examples": ["10%"],
    },
)


def _build_shadow(values: Values, reader: Reader) -> ShadowRequirement:
    if values.get("candidate") == values.get("against"):
        message = "candidate and against are the same; write the value of the live deployment"
        raise reader.fail(values.node("against"), message)
    return ShadowRequirement(
        lasting=values.get("for"),
        slos=values.get("slos", ()),
        **values.only("by", "candidate", "against", "margin", "pair_by"),
    )


_COMPARISON: Final = Object(
    {
        "by": Field(
            schema=TEXT,
            doc="Label (Prometheus) or column (logs) that separates the two deployments.",
            required=True,
            example="deployment",
        ),
        "candidate": Field(
            schema=TEXT,
            doc="Value of the label for the shadow deployment.",
            required=True,
            example="shadow",
        ),
        "against": Field(
            schema=TEXT,
            doc="Value of the label for the live deployment.",
            required=True,
            example="live",
        ),
        "slos": Field(
            schema=ListOf(NAME, at_least=1),
            doc="SLOs to compare. Default: all that count events.",
            example="[availability]",
        ),
        "margin": Field(
            schema=_MARGIN,
            doc="How far the shadow's error ratio may exceed that of live, as a share of the error"
            " budget.",
            required=True,
            example="10%",
        ),
        "for": Field(
            schema=DURATION,
            doc="Length of the compared time before the decision.",
            required=True,
            example="1h",
        ),
        "pair_by": Field(
            schema=TEXT,
            doc="Column (logs) with the id that a request and its mirrored copy share."
            " Default: requests are not paired.",
            example="request_id",
        ),
    },
    _build_shadow,
)
SHADOW: Final = Object(
    {
        "shadow": Field(
            schema=_COMPARISON,
            doc="A shadow deployment that must be shown not to be worse than the live one.",
            required=True,
            example="{by: deployment, candidate: shadow, against: live, margin: 10%, for: 1h}",
        )
    },
    lambda values, _: values.get("shadow"),
)
_KINDS: Final[dict[str, Object[Any]]] = {"evaluation": EVALUATION, "shadow": SHADOW}
_FORMS: Final = (
    "{evaluation: faithfulness, from: evals/*.json, at_least: 95%}, or {shadow: {by: deployment,"
    " candidate: shadow, against: live, margin: 10%, for: 1h}}"
)


class _Requirement:
    """One requirement: a bare name, or a block that says how it is checked."""

    def read(self, node: yaml.Node, reader: Reader) -> Requirement:
        """Return the requirement in one of its three forms."""
        if not isinstance(node, yaml.MappingNode):
            return Claim(name=NAME.read(node, reader))
        keys = [key for key, _ in pairs(node, reader)]
        kinds = [key.value for key in keys if key.value in _KINDS]
        if len(kinds) == 1:
            requirement: Requirement = _KINDS[kinds[0]].read(node, reader)
            return requirement
        if kinds:
            message = "an entry checks one thing; write evaluation and shadow as two entries"
            raise reader.fail(node, message)
        for key in keys:
            if "did you mean" in (hint := nearest(key.value, _KINDS)):
                raise reader.fail(key, f"unknown key {key.value!r}{hint}")
        raise reader.fail(node, f"the entry does not say what is checked; write {_FORMS}")

    def schema(self) -> JsonSchema:
        """Return the schema of the three forms."""
        return {"anyOf": [NAME.schema(), *(block.schema() for block in _KINDS.values())]}


class _Requirements(ListOf[Requirement]):
    """The requirements for one change class, whose names differ."""

    def __init__(self) -> None:
        super().__init__(_Requirement(), at_least=1)

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Requirement, ...]:
        """Return the requirements."""
        requirements = super().read(node, reader)
        names = [requirement.name for requirement in requirements]
        for place, name in enumerate(names):
            if name in names[:place]:
                remedy = "remove one"
                if not isinstance(requirements[place], ShadowRequirement):
                    remedy += ", or give it another name"
                message = f"{name!r} is required twice; {remedy}"
                raise reader.fail(node.value[place], message)
        return requirements


REQUIREMENTS: Final = _Requirements()


def check_requirements(
    tiers: tuple[Tier, ...], node: yaml.Node, slos: tuple[Slo, ...], reader: Reader
) -> bool:
    """Note each shadow that no data could meet: its SLOs count no events, or its time is too short.

    Args:
        tiers: the tiers that were read.
        node: the node of the tiers.
        slos: the SLOs of the policy.
        reader: takes the mistakes.
    """
    whole = True
    for requirement, place in required(tiers, node):
        if isinstance(requirement, ShadowRequirement):
            from gate.policy.shadows import why_no_shadow  # noqa: PLC0415 - for shadows only

            mistake = why_no_shadow(slos, requirement)
            if mistake is not None:
                reader.note(place, mistake)
                whole = False
    return whole


def warn_of_bare_names(tiers: tuple[Tier, ...], node: yaml.Node, reader: Reader) -> None:
    """Warn of requirements that can never be met, since they can only be claimed, but may not."""
    for requirement, place in required(tiers, node):
        if isinstance(requirement, Claim):
            message = (
                f"{requirement.name} can only be claimed, and this policy refuses claims: it is"
                " never met; say how it is checked, or add claims: allowed"
            )
            reader.note(place, message, fatal=False)


def required(tiers: tuple[Tier, ...], node: yaml.Node) -> Iterator[tuple[Requirement, yaml.Node]]:
    """Yield each requirement of the tiers, with its place."""
    for tier, entry in zip(tiers, node.value, strict=True):
        for change, requirements in tier.require.items():
            places = child_at(entry, "require", change).value
            yield from zip(requirements, places, strict=True)
