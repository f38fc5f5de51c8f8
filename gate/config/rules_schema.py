"""The blocks of a policy about its rules: claims, burn rates, freezes and ``on``."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from gate.config.tier_schema import CLASSES
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.numbers import ABOVE_ZERO
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, Scalar, Union
from gate.parsing.values import DURATION, MOMENT, TEXT, ZONE
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import NAMED_BURN_RATES, BurnRateRule, Effect, Freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBlock:
    """The ``on`` block."""

    actions: Mapping[Cause, Action]
    exempt: frozenset[str]


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
            doc="Effect of the rule when it fires. Default: block.",
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
        # A freeze "to 2 January" includes 2 January.
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
            doc="Reason that reports show for the freeze.",
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
    """Return a key for each cause, with its default if that differs from the policy's."""
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
        _causes("as in the policy."),
        lambda values, _: {Cause(key): action for key, action in values.values.items()},
        elsewhere={"except": "it belongs in the policy's own on, since a class ships or does not"},
    ),
    doc="Effect here of a budget that is unknown or in doubt, instead of the policy's on.",
    example="{low_traffic: allow}",
)
"""The ``on`` of a backend or of an SLO: only the keys that differ there."""
