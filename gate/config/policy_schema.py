"""A whole policy file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from gate.backends import BACKENDS, Settings, registration
from gate.budget.assessment import Guards
from gate.config.past_schema import CONTROL_CHARTS, EXHAUSTION, POSTMORTEMS
from gate.config.policy_checks import check, classes
from gate.config.rules_schema import BURN_RATES, CHANGES, FREEZE, ON, OVERRIDES, TIER
from gate.config.slos_schema import SLOS
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, Field, JsonSchema, ListOf, Object, TaggedUnion, Values
from gate.parsing.values import DURATION, NAME, SHARE, TEXT
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy

_VALID_FOR: Final = timedelta(minutes=15)
_TYPE: Final = Field(shape=TEXT, doc="Which backend.", required=True)


class _BackendBlocks(Mapping[str, Object[Settings]]):
    """The ``backend`` block of every backend; looking one up imports that backend's package."""

    def __getitem__(self, kind: str) -> Object[Settings]:
        """Return the keys of the backend, and ``type``."""
        block: Object[Settings] = registration(kind).block
        return replace(block, fields={"type": _TYPE, **block.fields})

    def __iter__(self) -> Iterator[str]:
        """Return the names of the backends, for which nothing is imported."""
        return iter(BACKENDS)

    def __len__(self) -> int:
        """Return how many backends there are."""
        return len(BACKENDS)


BACKEND: Final = TaggedUnion("type", _BackendBlocks())
"""The ``backend`` block of a policy file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a policy file says."""

    policy: Policy
    settings: Settings


def _build(values: Values, reader: Reader) -> Contents:
    on = values.get("on") or ON.build(Values(values={}, nodes={}), reader)
    return Contents(
        settings=values.get("backend"),
        policy=Policy(
            service=values.get("service"),
            owners=values.get("owners", ()),
            slos=tuple(placed.slo for placed in values.get("slos")),
            tiers=values.get("tiers"),
            burn_rates=values.get("burn_rates", ()),
            freezes=values.get("freezes", ()),
            on=on.actions,
            exempt=on.exempt,
            guards=Guards(
                max_age=values.get("max_age", DEFAULT_GUARDS.max_age),
                min_coverage=values.get("min_coverage", DEFAULT_GUARDS.min_coverage),
            ),
            change_classes=classes(values),
            default_change=values.get("changes", {}).get("default", DEFAULT_CHANGE),
            matchers={
                name: matcher
                for name, matcher in values.get("changes", {}).items()
                if isinstance(matcher, ChangeMatcher) and matcher.looks
            },
            overrides=values.get("overrides", OverrideRule()),
            valid_for=values.get("valid_for", _VALID_FOR),
            dashboard=values.get("dashboard"),
            exhaustion=values.get("exhaustion"),
            postmortems=values.get("postmortems"),
            control_charts=values.get("control_charts"),
        ),
    )


POLICY: Final = Object(
    {
        "version": Field(shape=Choice(("1",)), doc="Of this format: 1.", required=True),
        "service": Field(shape=NAME, doc="The service that ships.", required=True),
        "owners": Field(shape=ListOf(TEXT), doc="Whom to ask: people or teams."),
        "dashboard": Field(shape=TEXT, doc="An address where a person looks next."),
        "backend": Field(shape=BACKEND, doc="Where the counts come from.", required=True),
        "slos": Field(shape=SLOS, doc="What is promised.", required=True),
        "changes": Field(shape=CHANGES, doc="How a change's class is recognised."),
        "tiers": Field(
            shape=ListOf(TIER, at_least=1),
            doc="Bands of the worst remaining budget; the first that holds.",
            required=True,
        ),
        "burn_rates": Field(shape=BURN_RATES, doc="Multiwindow burn-rate rules."),
        "freezes": Field(shape=ListOf(FREEZE), doc="When only some classes may ship."),
        "exhaustion": Field(shape=EXHAUSTION, doc="How long every budget must still last."),
        "postmortems": Field(shape=POSTMORTEMS, doc="Which incidents need a reviewed record."),
        "control_charts": Field(
            shape=CONTROL_CHARTS,
            doc="warn or block when an indicator is worse than it usually is; or a block.",
        ),
        "overrides": Field(shape=OVERRIDES, doc="none, or how the verdict may be overridden."),
        "on": Field(shape=ON, doc="What happens when the budget is not, or not well, known."),
        "max_age": Field(shape=DURATION, doc="Of the newest sample. Default: 10m."),
        "min_coverage": Field(shape=SHARE, doc="Share of the window with data. Default: 90%."),
        "valid_for": Field(shape=DURATION, doc="How long a decision may be used. Default: 15m."),
    },
    _build,
    check=check,
)


def policy_schema() -> JsonSchema:
    """Return the JSON Schema of a policy file."""
    schema = POLICY.schema()
    schema["properties"]["version"] = {"description": "Of this format.", "enum": [1, "1"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate policy",
        "description": "Which kinds of change may ship at which error budget.",
        **schema,
    }
