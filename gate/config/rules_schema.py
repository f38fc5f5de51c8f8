"""What a policy file says of changes, overrides, tiers, burn rates, freezes and ``on:``."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, get_args

from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, SetOf, Union
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
from gate.policy.rule_settings import NAMED_BURN_RATES, BurnRateRule, Effect, Freeze
from gate.policy.tiers import Tier

_NO_OVERRIDE: Final = {"none": OverrideRule(max_duration=timedelta(0))}
_TYPE: Final = Scalar(lambda text: NAME.parse(text).lower(), NAME.json)
_MATCHED: Final = ("paths", "labels", "branches", "types", "trailers", "approved_by")
CLASS: Final = Object(
    {
        "description": Field(schema=TEXT, doc="What kind of change this is."),
        "paths": Field(
            schema=ListOf(PATH), doc="Globs of changed files, from the top of the repository."
        ),
        "labels": Field(schema=ListOf(TEXT), doc="Labels of the pull request."),
        "branches": Field(
            schema=ListOf(TEXT), doc="Globs of the branch that the change comes from."
        ),
        "types": Field(schema=ListOf(_TYPE), doc="Types of conventional commits."),
        "trailers": Field(
            schema=MapOf(TEXT), doc="Commit trailers, each with the value it must have."
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Who must have approved it or set the label: one of these, not an author.",
        ),
    },
    lambda values, _: ChangeMatcher(**values.only(*_MATCHED)),
)
CHANGES: Final = Object(
    {
        "default": Field(
            schema=NAME, doc=f"Class of a change that is not recognised. Default: {DEFAULT_CHANGE}."
        )
    },
    lambda values, _: dict(values.values),
    others=Field(schema=CLASS, doc="How this class is recognised; the name may be a new one."),
)


def _build_live(values: Values, reader: Reader) -> Live:
    if len(values.values) != 1:
        names = ", ".join(get_args(LiveKind))
        raise reader.fail(values.node(), f"exactly one of these says what is live: {names}")
    (kind,) = (kind for kind in get_args(LiveKind) if kind in values.values)
    return Live(kind, values.get(kind))


LIVE: Final = Object(
    {
        "github-deployments": Field(
            schema=TEXT, doc="Environment whose last successful GitHub deployment is live."
        ),
        "gitlab-environments": Field(
            schema=TEXT, doc="Environment whose last successful GitLab deployment is live."
        ),
        "file": Field(
            schema=TEXT, doc="File in which the deploy writes the commit; not tracked by git."
        ),
    },
    _build_live,
)
_OVERRIDE: Final = Object(
    {
        "max_duration": Field(
            schema=DURATION, doc="How long an override may last. Default: 24h.", formerly="longest"
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Who may approve an override. Default: everyone with write access but the author.",
        ),
        "label": Field(
            schema=TEXT,
            doc="Label of a pull request that overrides the verdict, if an approver has set it.",
        ),
        "confirmed": Field(
            schema=BOOLEAN,
            doc="Whether the code host must confirm the approval. Default: on pull requests.",
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
_ALL_OR_NONE: Final[dict[str, frozenset[str] | None]] = {"all": None, "none": frozenset()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBlock:
    """The ``on`` block."""

    actions: Mapping[Cause, Action]
    exempt: frozenset[str]


def _all_or_none(text: str) -> frozenset[str] | None:
    return _ALL_OR_NONE[Choice(tuple(_ALL_OR_NONE)).parse(text)]


CLASSES: Final = SetOf(NAME)
ALLOW: Final[Union[frozenset[str] | None]] = Union(
    Scalar(_all_or_none, Choice(tuple(_ALL_OR_NONE)).schema()), CLASSES
)


def _build_tier(values: Values, reader: Reader) -> Tier:
    if len(values.given("remaining", "otherwise")) != 1:
        raise reader.fail(values.node(), "a tier has either remaining: '> 50%' or otherwise: true")
    if values.get("otherwise") is False:
        raise reader.fail(values.node("otherwise"), "otherwise can only be true")
    given = values.only("name", "allow", "warn", "require")
    tier = Tier(condition=values.get("remaining"), **given)
    if stray := [name for name in tier.require if not tier.allows(name)]:
        message = f"{stray[0]!r} is required to do something but this tier does not allow it"
        raise reader.fail(values.node("require"), message)
    return tier


TIER: Final = Object(
    {
        "name": Field(schema=NAME, doc="Name of this band in reports.", required=True),
        "remaining": Field(schema=CONDITION, doc="Condition on the worst remaining budget."),
        "otherwise": Field(
            schema=BOOLEAN, doc="true in the last tier, which applies to all the rest."
        ),
        "allow": Field(schema=ALLOW, doc="all, none, or the classes that may ship.", required=True),
        "warn": Field(schema=CLASSES, doc="Classes that may ship with a warning."),
        "require": Field(
            schema=MapOf(ListOf(NAME, at_least=1)), doc="What must be done first, by change class."
        ),
    },
    _build_tier,
)


def _build_burn_rate(values: Values, reader: Reader) -> BurnRateRule:
    if values.get("short") >= values.get("long"):
        raise reader.fail(values.node("short"), "the short window must be shorter than the long")
    return BurnRateRule(**{"effect": Effect.BLOCK, **values.values})


BURN_RATE: Final = Object(
    {
        "long": Field(
            schema=DURATION,
            doc="The long window, which shows that the burn matters.",
            required=True,
        ),
        "short": Field(
            schema=DURATION,
            doc="The short window, which shows that the burn goes on.",
            required=True,
        ),
        "rate": Field(
            schema=ABOVE_ZERO,
            doc="Burn rate that both windows must reach. 1 spends the budget in one SLO window.",
            required=True,
        ),
        "effect": Field(
            schema=Choice(tuple(Effect)), doc="What the rule does when it fires. Default: block."
        ),
        "allow": Field(schema=CLASSES, doc="Classes that ship anyway. Default: the repairs."),
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
        raise reader.fail(values.node("to"), "the freeze ends before it begins")
    return Freeze(
        start=start,
        end=end,
        reason=values.get("reason"),
        allow=values.get("allow", frozenset()),
    )


FREEZE: Final = Object(
    {
        "from": Field(schema=MOMENT, doc="First day, or the instant of the start.", required=True),
        "to": Field(
            schema=MOMENT, doc="Last day (included), or the instant of the end.", required=True
        ),
        "time_zone": Field(schema=ZONE, doc="Time zone of the days. Default: UTC."),
        "reason": Field(
            schema=TEXT, doc="Reason that reports give to those who are stopped.", required=True
        ),
        "allow": Field(schema=CLASSES, doc="Classes that ship anyway. Default: none."),
    },
    _build_freeze,
)
ON: Final = Object(
    {
        **{
            cause.value: Field(
                schema=Choice(tuple(Action)),
                doc=f"block (undecided, exit 3), warn or allow. Default: {action.value}.",
            )
            for cause, action in DEFAULT_ACTIONS.items()
        },
        "except": Field(schema=CLASSES, doc="Classes that ship even if nothing could be measured."),
    },
    lambda values, _: OnBlock(
        actions={
            cause: values.get(cause.value, action) for cause, action in DEFAULT_ACTIONS.items()
        },
        exempt=values.get("except", frozenset()),
    ),
)
