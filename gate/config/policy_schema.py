"""A whole policy file."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gate.budget.assessment import Guards
from gate.config.backend_schema import BACKEND
from gate.config.past_schema import CONTROL_CHARTS, EXHAUSTION, POSTMORTEMS
from gate.config.policy_checks import check, classes
from gate.config.rules_schema import BURN_RATES, CHANGES, FREEZE, ON, OVERRIDES, TIER
from gate.config.slos_schema import SLOS
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, Field, JsonSchema, ListOf, Object, Values
from gate.parsing.values import DURATION, NAME, SHARE, TEXT
from gate.policy.changes import DEFAULT
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy
from gate.policy.recognition import ChangeMatcher
from gate.settings import Settings

_VALID_FOR: Final = timedelta(minutes=15)


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
            default_change=values.get("changes", {}).get("default", DEFAULT),
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
        "version": Field(schema=Choice(("1",)), doc="Of this format: 1.", required=True),
        "service": Field(schema=NAME, doc="The service that ships.", required=True),
        "owners": Field(schema=ListOf(TEXT), doc="Whom to ask: people or teams."),
        "dashboard": Field(schema=TEXT, doc="An address where a person looks next."),
        "backend": Field(schema=BACKEND, doc="Where the counts come from.", required=True),
        "slos": Field(schema=SLOS, doc="What is promised.", required=True),
        "changes": Field(schema=CHANGES, doc="How a change's class is recognised."),
        "tiers": Field(
            schema=ListOf(TIER, at_least=1),
            doc="Bands of the worst remaining budget; the first that holds.",
            required=True,
        ),
        "burn_rates": Field(schema=BURN_RATES, doc="Multiwindow burn-rate rules."),
        "freezes": Field(schema=ListOf(FREEZE), doc="When only some classes may ship."),
        "exhaustion": Field(schema=EXHAUSTION, doc="How long every budget must still last."),
        "postmortems": Field(schema=POSTMORTEMS, doc="Which incidents need a reviewed record."),
        "control_charts": Field(
            schema=CONTROL_CHARTS,
            doc="warn or block when an indicator is worse than it usually is; or a block.",
        ),
        "overrides": Field(schema=OVERRIDES, doc="none, or how the verdict may be overridden."),
        "on": Field(schema=ON, doc="What happens when the budget is not, or not well, known."),
        "max_age": Field(schema=DURATION, doc="Of the newest sample. Default: 10m."),
        "min_coverage": Field(schema=SHARE, doc="Share of the window with data. Default: 90%."),
        "valid_for": Field(schema=DURATION, doc="How long a decision may be used. Default: 15m."),
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
