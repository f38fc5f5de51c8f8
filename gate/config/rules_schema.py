"""What a policy file says of changes, overrides, tiers, burn rates, freezes and ``on:``."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, get_args

import yaml

from gate.dataclass import dataclass
from gate.errors import nearest
from gate.measure import Cause
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, ListOf, MapOf, Scalar, SetOf, Union
from gate.parsing.values import (
    ABOVE_ZERO,
    APPROVER,
    BOOLEAN,
    CONDITION,
    DURATION,
    MOMENT,
    NAME,
    PATH,
    TEXT,
    ZONE,
)
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher, Live, LiveKind
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.requirements import Requirement
from gate.policy.rule_settings import NAMED_BURN_RATES, BurnRateRule, Effect, Freeze
from gate.policy.tiers import Tier

_NO_OVERRIDE: Final = {"none": OverrideRule(max_duration=timedelta(0))}
_TYPE: Final = Scalar(lambda text: NAME.parse(text).lower(), NAME.json)
_MATCHED: Final = ("paths", "labels", "branches", "types", "trailers", "approved_by")
CLASS: Final = Object(
    {
        "description": Field(
            schema=TEXT, doc="What kind of change this is.", example="A new prompt."
        ),
        "paths": Field(
            schema=ListOf(PATH),
            doc="Globs of changed files, from the top of the repository.",
            example='["prompts/**"]',
        ),
        "labels": Field(schema=ListOf(TEXT), doc="Labels of the pull request.", example="[prompt]"),
        "branches": Field(
            schema=ListOf(TEXT),
            doc="Globs of the branch that the change comes from.",
            example='["prompt/*"]',
        ),
        "types": Field(schema=ListOf(_TYPE), doc="Types of conventional commits.", example="[fix]"),
        "trailers": Field(
            schema=MapOf(TEXT),
            doc="Commit trailers, each with the value it must have.",
            example="{Change-Class: canary}",
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Who must have approved it or set the label: one of these, not an author.",
            example='["@acme/sre", write]',
        ),
    },
    lambda values, _: ChangeMatcher(**values.only(*_MATCHED)),
)
CHANGES: Final = Object(
    {
        "default": Field(
            schema=NAME,
            doc=f"Class of a change that is not recognised. Default: {DEFAULT_CHANGE}.",
            example="full-rollout",
        )
    },
    lambda values, _: dict(values.values),
    others=Field(
        schema=CLASS,
        doc="How a class is recognised where nobody names it; it may be new.",
        example='{paths: ["prompts/**"]}',
    ),
)


def _build_live(values: Values, reader: Reader) -> Live:
    if len(values.values) != 1:
        names = ", ".join(get_args(LiveKind))
        raise reader.fail(values.node(), f"write exactly one of these keys: {names}")
    (kind,) = (kind for kind in get_args(LiveKind) if kind in values.values)
    return Live(kind, values.get(kind))


LIVE: Final = Object(
    {
        "github-deployments": Field(
            schema=TEXT,
            doc="Environment whose last successful GitHub deployment is live.",
            example="production",
        ),
        "gitlab-environments": Field(
            schema=TEXT,
            doc="Environment whose last successful GitLab deployment is live.",
            example="production",
        ),
        "file": Field(
            schema=TEXT,
            doc="File in which the deploy writes the commit; not tracked by git.",
            example="live.txt",
        ),
    },
    _build_live,
    rules={"minProperties": 1, "maxProperties": 1},
)
_OVERRIDE: Final = Object(
    {
        "max_duration": Field(
            schema=DURATION,
            doc="How long an override may last. Default: 24h.",
            formerly="longest",
            example="8h",
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Who may approve an override. Default: everyone with write access but the author.",
        ),
        "label": Field(
            schema=TEXT,
            doc="Label of a pull request that overrides the verdict, if an approver has set it.",
            example="gate-override",
        ),
        "confirmed": Field(
            schema=BOOLEAN,
            doc="Whether the code host must confirm the approval. Default: on pull requests.",
            example="true",
        ),
    },
    lambda values, _: OverrideRule(
        approvers=values.get("approved_by", ()), **values.only("max_duration", "label", "confirmed")
    ),
)
OVERRIDES: Final = Union(
    Scalar(lambda text: _NO_OVERRIDE[Choice(("none",)).parse(text)], Choice(("none",)).schema()),
    _OVERRIDE,
)
ALL_OR_NONE: Final[dict[str, frozenset[str] | None]] = {"all": None, "none": frozenset()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBlock:
    """The ``on`` block."""

    actions: Mapping[Cause, Action]
    exempt: frozenset[str]


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
        """Return an array without these two words."""
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
    """What is required of one change class."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Requirement, ...]:
        """Return the requirements."""
        from gate.config.requirement_schema import REQUIREMENTS  # noqa: PLC0415 - where any is

        return REQUIREMENTS.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return an array of the forms that one has."""
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
            doc="true in the last tier, which applies to all the rest.",
            example="true",
        ),
        "allow": Field(
            schema=ALLOW,
            doc="all, none, or the classes that may ship.",
            required=True,
            example="[rollback, security-patch]",
        ),
        "warn": Field(
            schema=CLASSES, doc="Classes that may ship with a warning.", example="[canary]"
        ),
        "require": Field(
            schema=MapOf(_Requirements()),
            doc="What must be shown first, by change class.",
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
    """The tiers, the last of which holds for whatever is left."""

    def __init__(self) -> None:
        super().__init__(TIER, at_least=1)

    def schema(self) -> JsonSchema:
        """Return an array with one entry that holds always; where it is, JSON Schema cannot say."""
        only = {"contains": _LAST_TIER, "minContains": 1, "maxContains": 1}
        return {**super().schema(), **only}


TIERS: Final = _Tiers()


_CLAIMS: Final = {"allowed": True, "refused": False}
CLAIMS: Final = Scalar(
    lambda text: _CLAIMS[Choice(tuple(_CLAIMS)).parse(text)], Choice(tuple(_CLAIMS)).schema()
)


def _build_burn_rate(values: Values, reader: Reader) -> BurnRateRule:
    if values.get("short") >= values.get("long"):
        raise reader.fail(values.node("short"), "short must be shorter than long")
    return BurnRateRule(**{"effect": Effect.BLOCK, **values.values})


BURN_RATE: Final = Object(
    {
        "long": Field(
            schema=DURATION,
            doc="The long window, which shows that the burn matters.",
            required=True,
            example="1h",
        ),
        "short": Field(
            schema=DURATION,
            doc="The short window, which shows that the burn goes on.",
            required=True,
            example="5m",
        ),
        "rate": Field(
            schema=ABOVE_ZERO,
            doc="Burn rate that both windows must reach. 1 spends the budget in one SLO window.",
            required=True,
            example="14.4",
        ),
        "effect": Field(
            schema=Choice(tuple(Effect)),
            doc="What the rule does when it fires. Default: block.",
            example="block",
        ),
        "allow": Field(
            schema=CLASSES,
            doc="Classes that ship anyway. Default: the repairs.",
            example="[rollback]",
        ),
    },
    _build_burn_rate,
)
BURN_RATES: Final = Union(
    Scalar(
        lambda text: NAMED_BURN_RATES[Choice(tuple(NAMED_BURN_RATES)).parse(text)],
        Choice(tuple(NAMED_BURN_RATES)).schema(),
    ),
    ListOf(BURN_RATE),
)


def _instant(moment: date | datetime, zone: tzinfo, *, end: bool) -> datetime:
    if isinstance(moment, datetime):
        instant = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    else:
        # A freeze "to 2 January" still holds on 2 January.
        instant = datetime.combine(moment + timedelta(days=1) if end else moment, time(), zone)
    return instant.astimezone(UTC)


def _build_freeze(values: Values, reader: Reader) -> Freeze:
    zone = values.get("time_zone", UTC)
    start = _instant(values.get("from"), zone, end=False)
    end = _instant(values.get("to"), zone, end=True)
    if end <= start:
        raise reader.fail(values.node("to"), "the freeze ends before it begins; swap from and to")
    return Freeze(
        start=start,
        end=end,
        reason=values.get("reason"),
        allow=values.get("allow", frozenset()),
    )


FREEZE: Final = Object(
    {
        "from": Field(
            schema=MOMENT,
            doc="First day, or the instant of the start.",
            required=True,
            example="2026-12-20",
        ),
        "to": Field(
            schema=MOMENT,
            doc="Last day (included), or the instant of the end.",
            required=True,
            example="2027-01-02",
        ),
        "time_zone": Field(
            schema=ZONE, doc="Time zone of the days. Default: UTC.", example="Europe/Berlin"
        ),
        "reason": Field(
            schema=TEXT,
            doc="Reason that reports give to those who are stopped.",
            required=True,
            example="year end",
        ),
        "allow": Field(
            schema=CLASSES, doc="Classes that ship anyway. Default: none.", example="[rollback]"
        ),
    },
    _build_freeze,
)


def _causes(default: str | None = None) -> dict[str, Field]:
    """Return a key for each cause; the default, where it is not that of the policy."""
    return {
        cause.value: Field(
            schema=Choice(tuple(Action)),
            doc="block (undecided, exit 3), warn or allow. Default: "
            + (default or f"{action.value}."),
        )
        for cause, action in DEFAULT_ACTIONS.items()
    }


ON: Final = Object(
    {
        **_causes(),
        "except": Field(
            schema=CLASSES,
            doc="Classes that ship even if nothing could be measured.",
            example="[rollback]",
        ),
    },
    lambda values, _: OnBlock(
        actions={
            cause: values.get(cause.value, action) for cause, action in DEFAULT_ACTIONS.items()
        },
        exempt=values.get("except", frozenset()),
    ),
)
ON_HERE: Final = Field(
    schema=Object(
        _causes("what the policy says."),
        lambda values, _: {Cause(key): action for key, action in values.values.items()},
        elsewhere={"except": "it belongs in the policy's own on, since a class ships or does not"},
    ),
    doc="What happens here when a budget is unknown or in doubt, in place of what the policy says.",
    example="{low_traffic: allow}",
)
"""The ``on`` of a backend or of an SLO, which says only what differs there."""
