"""The contents of a policy file: the policy, and the settings of its backends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gate.backends import Settings
from gate.config.backend_blocks import block_of, blocks_of, on_backend
from gate.config.backend_schema import GUARDS, NamedBackend
from gate.config.class_checks import classes
from gate.config.rules_schema import ON
from gate.parsing.objects import Values
from gate.parsing.reader import Reader
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy

if TYPE_CHECKING:
    from gate.config.preset import Preset


class Contents(NamedTuple):
    """The contents of a policy file."""

    policy: Policy
    settings: Settings
    presets: "Mapping[str, Preset]"
    """The presets of its own preset files, by name."""


_EMPTY: Final = dict.fromkeys(("owners", "burn_rates", "freezes"), ())
_DEFAULTS: Final = {"overrides": OverrideRule(), "valid_for": timedelta(minutes=15), **_EMPTY}
_COPIED: Final = (
    *("service", "tiers", "live", "dashboard"),
    *("exhaustion", "postmortems", "control_charts", "claims"),
)


def build_contents(values: Values, reader: Reader) -> Contents:
    """Return the contents of a file, whose values have been read and checked together."""
    on = values.get("on") or ON.build(Values(values={}, nodes={}), reader)
    changes, guards = values.get("changes", {}), values.only(*GUARDS)
    sources = blocks_of(values)
    # Commands that test or show a policy without its backend need the same limits.
    if "" in sources and (age := sources[""].guards_by_default.max_age) is not None:
        guards.setdefault("max_age", age)
    placed = [(entry, block_of(entry, sources)) for entry in values.get("slos")]
    policy = Policy(
        slos=tuple(
            on_backend(entry, source, age_given="max_age" in guards) for entry, source in placed
        ),
        on=on.actions,
        own_actions={
            entry.slo.name: actions
            for entry, source in placed
            if (actions := {**(source.actions if source else {}), **entry.actions})
        },
        exempt=on.exempt,
        guards=replace(DEFAULT_GUARDS, **guards),
        backends={name: source.words.get("type", "") for name, source in sources.items()},
        change_classes=classes(values),
        default_change=changes.get("default", DEFAULT_CHANGE),
        matchers={
            name: matcher
            for name, matcher in changes.items()
            if isinstance(matcher, ChangeMatcher) and matcher.looks
        },
        **{**_DEFAULTS, **values.only(*_DEFAULTS, *_COPIED)},
    )
    return Contents(policy, _settings(values), values.get("presets", {}))


def _settings(values: Values) -> Settings:
    """Return the settings of the backend, or of each backend if there are several."""
    if not values.given("backends"):
        backend: Settings = values.get("backend")
        return backend
    from gate.backends.several import SeveralSettings  # noqa: PLC0415 - for several only

    entries: Mapping[str, NamedBackend[Settings]] = values.get("backends")
    return SeveralSettings(backends={name: entry.settings for name, entry in entries.items()})
