"""The keys of a policy file, and how its text is read."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import yaml

from gate import __version__
from gate.backends import BACKEND
from gate.config.backend_schema import EXAMPLE, NAMED_BACKENDS, UNOPENED_BACKENDS
from gate.config.change_schema import CHANGES, LIVE, OVERRIDES
from gate.config.class_checks import word_pairs
from gate.config.past_schema import CONTROL_CHARTS, EXHAUSTION, POSTMORTEMS
from gate.config.policy_checks import check_policy
from gate.config.policy_contents import Contents, build_contents
from gate.config.rules_schema import BURN_RATES, CLAIMS, FREEZE, ON
from gate.config.slo_entries import HAS_SLI, WHOLE_RATIO, Slos, slos_with
from gate.config.tier_schema import TIERS
from gate.errors import Mistake
from gate.parsing.numbers import SHARE
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object
from gate.parsing.reader import Reader, UnreadableError, compose, decode, written
from gate.parsing.schema import Anything, Choice, JsonSchema, ListOf
from gate.parsing.values import DURATION, GLOBS, NAME, TEXT, VALIDITY

if TYPE_CHECKING:
    from gate.config.preset import Preset


class _PresetFiles:
    """The paths of the policy's own preset files: a glob or several."""

    def read(self, node: yaml.Node, reader: Reader) -> "Mapping[str, Preset]":
        """Read the presets by name, and put them where the reader of SLOs looks for them."""
        from gate.config.own_presets import read_own_presets  # noqa: PLC0415 - for these only

        return read_own_presets(GLOBS.read(node, reader), node, reader)

    def schema(self) -> JsonSchema:
        """Return the schema: a glob, or an array of globs."""
        return GLOBS.schema()


_VERSION: Final = 1
"""The version of the policy files that this gate reads."""
_ELSEWHERE: Final = {
    **dict.fromkeys(("url", "type", "auth", "headers", "tls"), "it belongs in the block backend"),
    **dict.fromkeys(("objective", "window", "sli"), "it belongs in an entry of slos"),
    **dict.fromkeys(("allow", "require", "remaining"), "it belongs in an entry of tiers"),
    "timeout": TIMEOUT_ELSEWHERE,
}
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
            doc="Service that the changes belong to.",
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
            schema=Slos(),
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
            doc="How to find the live commit, with which deploys are compared.",
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
            doc="Whether users may claim that an unchecked requirement is met: allowed or refused."
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
            doc="Rule about indicators that are worse than usual.",
            example="warn",
        ),
        "overrides": Field(
            schema=OVERRIDES,
            doc="none, or who may override a verdict, for how long.",
            example='{max_duration: 8h, approved_by: ["@acme/sre"]}',
        ),
        "on": Field(
            schema=ON,
            doc="Effect of a budget that is unknown or in doubt.",
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
    build_contents,
    check=check_policy,
    first="presets",
    rules={
        "oneOf": [{"required": ["backend"]}, {"required": ["backends"]}],
        "allOf": [
            slos_with("static", HAS_SLI, otherwise=True),
            slos_with("prometheus", {"properties": {"sli": WHOLE_RATIO}}),
        ],
    },
    elsewhere=_ELSEWHERE,
)


def _refuse_newer(node: yaml.Node, reader: Reader) -> None:
    """Refuse a file of a later version: all its new keys would look like mistakes."""
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
    """Return the contents of a file, and its problems; no contents (None) if there is a mistake."""
    contents = None
    with suppress(UnreadableError):
        node = compose(decode(raw, reader), reader)
        _refuse_newer(node, reader)
        contents = schema.read(node, reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes
