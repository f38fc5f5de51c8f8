"""What a whole policy file says."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from gate import __version__
from gate.backends import BACKEND, Settings
from gate.config.backend_schema import (
    EXAMPLE,
    GUARDS,
    NAMED_BACKENDS,
    UNOPENED_BACKENDS,
    NamedBackend,
    block_of,
    blocks_of,
    on_backend,
)
from gate.config.class_checks import classes, word_pairs
from gate.config.past_schema import CONTROL_CHARTS, EXHAUSTION, POSTMORTEMS
from gate.config.placed_slo import FROM, PlacedSlo, SloFiles
from gate.config.platform_schema import FROM_PLATFORM, PLATFORM
from gate.config.policy_checks import check_policy
from gate.config.rules_schema import (
    BURN_RATES,
    CHANGES,
    CLAIMS,
    FREEZE,
    LIVE,
    ON,
    OVERRIDES,
    TIERS,
)
from gate.config.slo_schema import SLO
from gate.errors import Mistake
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, UnreadableError, compose, decode, written
from gate.parsing.schema import Anything, Choice, JsonSchema, ListOf, pairs
from gate.parsing.values import DURATION, GLOBS, NAME, SHARE, TEXT, VALIDITY
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy

if TYPE_CHECKING:
    from gate.config.preset import Preset


class _Entry:
    """One entry: an SLO, be it defined here or by a platform, or where more of them are."""

    def read(self, node: yaml.Node, reader: Reader) -> PlacedSlo | SloFiles:
        """Return which of these it is."""
        sources = [child for key, child in pairs(node, reader) if key.value == "from"]
        if sources and written(sources[0]) != PLATFORM:
            return FROM.read(node, reader)
        slo, backend, actions = (FROM_PLATFORM if sources else SLO).read(node, reader)
        return PlacedSlo(slo=slo, node=node, reader=reader, backend=backend, actions=actions)

    def schema(self) -> JsonSchema:
        """Return all three."""
        return {"anyOf": [SLO.schema(), FROM_PLATFORM.schema(), FROM.schema()]}


_ENTRIES: Final = ListOf(_Entry(), at_least=1)


class _Slos:
    """All entries, those of other files in the place of the entry that names the files."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[PlacedSlo, ...]:
        """Return every SLO; a mistake in one file does not hide those in others."""
        entries, whole = _ENTRIES.readable(node, reader)
        outside = [entry for entry in entries if isinstance(entry, SloFiles)]
        imported = iter(_import_slos(outside, reader) if outside else ())
        if not whole:
            raise UnreadableError
        placed = [[entry] if isinstance(entry, PlacedSlo) else next(imported) for entry in entries]
        return tuple(slo for slos in placed for slo in slos)

    def schema(self) -> JsonSchema:
        """Return an array of either."""
        return _ENTRIES.schema()


def _import_slos(entries: Sequence[SloFiles], reader: Reader) -> Sequence[Sequence[PlacedSlo]]:
    from gate.config.slo_files import read_entries  # noqa: PLC0415 - for these entries only

    return read_entries(entries, reader)


class _PresetFiles:
    """Where preset files of the policy's own are: a glob, or several."""

    def read(self, node: yaml.Node, reader: Reader) -> "Mapping[str, Preset]":
        """Return what the files say, by the preset's name, and put it where SLOs look for it."""
        from gate.config.own_presets import read_own_presets  # noqa: PLC0415 - for these only

        return read_own_presets(GLOBS.read(node, reader), node, reader)

    def schema(self) -> JsonSchema:
        """Return a glob, or an array of them."""
        return GLOBS.schema()


class Contents(NamedTuple):
    """What a policy file says."""

    policy: Policy
    settings: Settings
    presets: "Mapping[str, Preset]"
    """The presets of its own preset files, by name."""


_VERSION: Final = 1
"""The version of the policy files that this gate reads."""
_EMPTY: Final = dict.fromkeys(("owners", "burn_rates", "freezes"), ())
_DEFAULTS: Final = {"overrides": OverrideRule(), "valid_for": timedelta(minutes=15), **_EMPTY}
_COPIED: Final = (
    *("service", "tiers", "live", "dashboard"),
    *("exhaustion", "postmortems", "control_charts", "claims"),
)


def _build(values: Values, reader: Reader) -> Contents:
    on = values.get("on") or ON.build(Values(values={}, nodes={}), reader)
    changes, guards = values.get("changes", {}), values.only(*GUARDS)
    sources = blocks_of(values)
    # A policy is tested, and looked at, without its backend: it must have the same limits then.
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
    """Return what the backend is opened with, or each of several."""
    if not values.given("backends"):
        backend: Settings = values.get("backend")
        return backend
    from gate.backends.several import SeveralSettings  # noqa: PLC0415 - for several only

    entries: Mapping[str, NamedBackend[Settings]] = values.get("backends")
    return SeveralSettings(backends={name: entry.settings for name, entry in entries.items()})


_ELSEWHERE: Final = {
    **dict.fromkeys(("url", "type", "auth", "headers", "tls"), "it belongs in the block backend"),
    **dict.fromkeys(("objective", "window", "sli"), "it belongs in an entry of slos"),
    **dict.fromkeys(("allow", "require", "remaining"), "it belongs in an entry of tiers"),
    "timeout": TIMEOUT_ELSEWHERE,
}


def _slos_with(kind: str, entry: JsonSchema, *, otherwise: bool = False) -> JsonSchema:
    """Return what each entry of ``slos`` must fit with a backend, or with every other one."""
    there = {"properties": {"backend": {"properties": {"type": {"const": kind}}}}}
    # Which of several an SLO has is not for JSON Schema: they have none of these conditions.
    given = {} if otherwise else {"required": ["backend"]}
    return {
        "if": there | given,
        "else" if otherwise else "then": {"properties": {"slos": {"items": entry}}},
    }


_WHOLE_RATIO: Final = {
    "anyOf": [
        {"not": {"anyOf": [{"required": ["good"]}, {"required": ["bad"]}]}},
        {"required": ["total"]},
        {"required": ["good", "bad"]},
    ]
}
_HAS_SLI: Final = {"anyOf": [{"required": [key]} for key in ("sli", "composite", "from")]}
POLICY: Final = Object(
    {
        "version": Field(
            schema=Choice((str(_VERSION),)),
            doc="Version of the format: 1.",
            required=True,
            example="1",
        ),
        "service": Field(
            schema=NAME,
            doc="The service that the changes belong to.",
            required=True,
            example="chat",
        ),
        "owners": Field(
            schema=ListOf(TEXT),
            doc="People or teams to ask about a blocked change.",
            example='["@acme/llm-platform"]',
        ),
        "dashboard": Field(
            schema=TEXT,
            doc="Address of a dashboard, which reports link to.",
            example="https://grafana.example/d/chat",
        ),
        "presets": Field(
            schema=_PresetFiles(),
            doc="Your own preset files, relative to this file's folder.",
            example="presets/*.yaml",
        ),
        "backend": Field(
            schema=BACKEND,
            doc="Where the counts come from. This or backends is required.",
            example=EXAMPLE,
        ),
        "backends": Field(
            schema=NAMED_BACKENDS,
            doc="Several backends by name, each for the SLOs that name it.",
            example='{prom: {type: prometheus, url: "http://prometheus:9090"}, judge: {type: logs,'
            " path: judge/*.jsonl, timestamp: ts}}",
        ),
        "slos": Field(
            schema=_Slos(),
            doc="The SLOs, or files that have them.",
            required=True,
            example="[{name: availability, objective: 99.9%, window: 30d, sli: {preset:"
            " vllm/errors}}]",
        ),
        "changes": Field(
            schema=CHANGES,
            doc="How the class of a change is recognised.",
            example='{prompt-update: {paths: ["prompts/**"]}, default: full-rollout}',
        ),
        "live": Field(
            schema=LIVE,
            doc="Where to find the live commit, which deploys are compared with.",
            example="{github-deployments: production}",
        ),
        "tiers": Field(
            schema=TIERS,
            doc="Bands of the worst remaining budget; the first one that applies counts.",
            required=True,
            example='[{name: healthy, remaining: "> 50%", allow: all},'
            " {name: exhausted, otherwise: true, allow: [rollback, security-patch]}]",
        ),
        "claims": Field(
            schema=CLAIMS,
            doc="Whether what nothing checks may be stated as met: allowed or refused."
            " Default: refused.",
            example="allowed",
        ),
        "burn_rates": Field(
            schema=BURN_RATES, doc="Multiwindow burn-rate rules.", example="google-30d"
        ),
        "freezes": Field(
            schema=ListOf(FREEZE),
            doc="Periods in which only some classes may ship.",
            example="[{from: 2026-12-20, to: 2027-01-02, reason: year end}]",
        ),
        "exhaustion": Field(
            schema=EXHAUSTION,
            doc="The shortest time that every budget must still last.",
            example="{within: 3d}",
        ),
        "postmortems": Field(
            schema=POSTMORTEMS,
            doc="Which incidents need a reviewed record before features ship.",
            example="{share: 20%, known_incidents: incidents/*.yaml}",
        ),
        "control_charts": Field(
            schema=CONTROL_CHARTS,
            doc="What happens while an indicator is worse than usual.",
            example="warn",
        ),
        "overrides": Field(
            schema=OVERRIDES,
            doc="none, or who may override a verdict, for how long.",
            example='{max_duration: 8h, approved_by: ["@acme/sre"]}',
        ),
        "on": Field(
            schema=ON,
            doc="What happens when a budget is unknown or in doubt.",
            example="{no_data: block, low_traffic: warn}",
        ),
        "max_age": Field(
            schema=DURATION,
            doc="Age above which the newest sample is stale. Default: 10m; for evaluations, 1.5"
            " times every.",
            example="10m",
        ),
        "min_coverage": Field(
            schema=SHARE,
            doc="Share of the window with data below which coverage is low. Default: 90%.",
            example="90%",
        ),
        "coverage_floor": Field(
            schema=SHARE,
            doc="Share below which the budget is unknown. Default: 50%; at most min_coverage.",
            example="50%",
        ),
        "valid_for": Field(
            schema=VALIDITY,
            doc="How long a decision may be used; 24h at most. Default: 15m.",
            example="15m",
        ),
    },
    _build,
    check=check_policy,
    first="presets",
    rules={
        "oneOf": [{"required": ["backend"]}, {"required": ["backends"]}],
        "allOf": [
            _slos_with("static", _HAS_SLI, otherwise=True),
            _slos_with("prometheus", {"properties": {"sli": _WHOLE_RATIO}}),
        ],
    },
    elsewhere=_ELSEWHERE,
)


def _refuse_newer(node: yaml.Node, reader: Reader) -> None:
    """Refuse a file of a later version, of which every new key would look like a mistake."""
    for key, child in word_pairs(node):
        text = written(child) if key.value == "version" else ""
        if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > _VERSION:
            message = (
                f"gate {__version__} reads version {_VERSION}; this file is for a newer gate:"
                f" update gate, or write version: {_VERSION}"
            )
            raise reader.fail(child, message)


UNOPENED: Final = replace(
    POLICY,
    fields={
        **POLICY.fields,
        "backend": Field(schema=Anything(), doc="Neither read nor opened here."),
        "backends": Field(schema=UNOPENED_BACKENDS, doc="The same of each."),
    },
)
"""A policy whose backend is left as it is written: no variable of it has to be set."""


def parse(
    raw: bytes, reader: Reader, schema: Object[Contents] = POLICY
) -> tuple[Contents | None, tuple[Mistake, ...]]:
    """Return what a file says, and what is wrong with it; None for the first where anything is."""
    contents = None
    with suppress(UnreadableError):
        node = compose(decode(raw, reader), reader)
        _refuse_newer(node, reader)
        contents = schema.read(node, reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes
