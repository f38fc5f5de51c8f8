"""The tiers of a policy, and the classes of changes that they allow."""

from typing import Final

import yaml

from gate.errors import nearest
from gate.parsing.numbers import CONDITION
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, ListOf, MapOf, Scalar, SetOf, Union
from gate.parsing.values import BOOLEAN, NAME
from gate.policy.requirements import Requirement
from gate.policy.tiers import Tier

ALL_OR_NONE: Final[dict[str, frozenset[str] | None]] = {"all": None, "none": frozenset()}


def _all_or_none(text: str) -> frozenset[str] | None:
    if text not in ALL_OR_NONE:
        hint = nearest(text, ALL_OR_NONE)
        if "did you mean" not in hint:
            hint = f"; write classes as a list: [{text}]"
        raise ValueError(f"{text!r} is not all or none{hint}")
    return ALL_OR_NONE[text]


class _AllowedClasses(SetOf[str]):
    """The classes that may ship; ``all`` and ``none`` are written without a list."""

    def read(self, node: yaml.Node, reader: Reader) -> frozenset[str]:
        """Return the classes."""
        for child in node.value if isinstance(node, yaml.SequenceNode) else ():
            if isinstance(child, yaml.ScalarNode) and child.value in ALL_OR_NONE:
                message = f"{child.value!r} is not a change class; write allow: {child.value}"
                raise reader.fail(child, message)
        return super().read(node, reader)

    def schema(self) -> JsonSchema:
        """Return the schema of an array without these two words."""
        words = {"contains": {"enum": list(ALL_OR_NONE)}}
        return {**super().schema(), "not": words}


CLASSES: Final = SetOf(NAME)
ALLOW: Final[Union[frozenset[str] | None]] = Union(
    Scalar(_all_or_none, Choice(tuple(ALL_OR_NONE)).schema()), _AllowedClasses(NAME)
)


def _build_tier(values: Values, reader: Reader) -> Tier:
    conditions = values.given("remaining", "otherwise")
    if not conditions:
        message = 'the condition is missing; add remaining: "> 50%", or otherwise: true (last tier)'
        raise reader.fail(values.node(), message)
    if len(conditions) > 1:
        message = "'remaining' and 'otherwise' do not go together; remove one of the two"
        raise reader.fail(values.node("otherwise"), message)
    if values.get("otherwise") is False:
        message = 'otherwise can only be true; write remaining: "> 50%" for a condition'
        raise reader.fail(values.node("otherwise"), message)
    given = values.only("name", "allow", "warn", "require")
    tier = Tier(condition=values.get("remaining"), **given)
    if stray := [name for name in tier.require if not tier.allows(name)]:
        message = f"require names {stray[0]!r}, which this tier does not allow; add it to allow"
        raise reader.fail(values.node("require"), message)
    return tier


class _Requirements:
    """The requirements for one change class."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Requirement, ...]:
        """Return the requirements."""
        from gate.config.requirement_schema import REQUIREMENTS  # noqa: PLC0415 - where any is

        return REQUIREMENTS.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return the schema of an array; each element has one of the forms of a requirement."""
        from gate.config.requirement_schema import REQUIREMENTS  # noqa: PLC0415 - as above

        return REQUIREMENTS.schema()


TIER: Final = Object(
    {
        "name": Field(
            schema=NAME, doc="Name of this band in reports.", required=True, example="healthy"
        ),
        "remaining": Field(
            schema=CONDITION,
            doc="Condition on the worst remaining budget.",
            example='"> 50%"',
        ),
        "otherwise": Field(
            schema=BOOLEAN,
            doc="true in the last tier, which applies to all other budgets.",
            example="true",
        ),
        "allow": Field(
            schema=ALLOW,
            doc="Classes that may ship: all, none or a list.",
            required=True,
            example="[rollback, security-patch]",
        ),
        "warn": Field(
            schema=CLASSES, doc="Classes that may ship with a warning.", example="[canary]"
        ),
        "require": Field(
            schema=MapOf(_Requirements()),
            doc="Requirements before shipping, by change class.",
            example="{model-update: [{evaluation: faithfulness, from: evals/*.json,"
            " at_least: 95%}]}",
        ),
    },
    _build_tier,
    rules={"oneOf": [{"required": ["remaining"]}, {"required": ["otherwise"]}]},
)
_LAST_TIER: Final = {
    "required": ["otherwise"],
    "properties": {"otherwise": {"enum": [True, "true", "True", "TRUE"]}},
}


class _Tiers(ListOf[Tier]):
    """The tiers; the last one applies to any remaining budget."""

    def __init__(self) -> None:
        super().__init__(TIER, at_least=1)

    def schema(self) -> JsonSchema:
        """Return the schema of an array with one catch-all tier, in any place."""
        only = {"contains": _LAST_TIER, "minContains": 1, "maxContains": 1}
        return {**super().schema(), **only}


TIERS: Final = _Tiers()
