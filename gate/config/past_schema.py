"""The blocks of a policy about the rules that need the history."""

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from gate.config.tier_schema import CLASSES
from gate.parsing.numbers import ABOVE_ZERO, SHARE
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, ListOf, Scalar, Union
from gate.parsing.values import BOOLEAN, DURATION, GLOB
from gate.policy.rule_settings import Effect

if TYPE_CHECKING:
    from gate.history.records import IncidentRecord, UnreadableRecord
    from gate.policy.rule_settings import ControlChartRule, ExhaustionRule, PostmortemRule

_SUFFIXES: Final = (".yaml", ".yml")
_THRESHOLD: Final = Fraction(6)
"""The same default as for ``gate incidents``."""
_EFFECTS: Final = Choice(tuple(Effect))


def _record_files(text: str) -> str:
    pattern = GLOB.parse(text)
    if not pattern.endswith(_SUFFIXES):
        # A folder, or a misspelt ending, would never match anything, and nobody would notice.
        raise ValueError(f"{text!r} does not match YAML files; write for example incidents/*.yaml")
    return pattern


_FILES: Final = Scalar(_record_files, {**GLOB.json, "examples": ["incidents/*.yaml"]})
_PATTERNS: Final = Union(
    Scalar(lambda text: (_record_files(text),), _FILES.json), ListOf(_FILES, at_least=1)
)


class KnownIncidents(NamedTuple):
    """The records in files beside the policy, which are treated like the policy itself."""

    patterns: tuple[str, ...]
    """Globs of the files; if no file matches, the service has no records."""
    records: "tuple[IncidentRecord, ...]"
    unreadable: "tuple[UnreadableRecord, ...]"
    """The records with a mistake: only the incidents that they may be about are in doubt."""


class _KnownIncidents:
    """A glob or several, read as the records in the matching files."""

    def read(self, node: yaml.Node, reader: Reader) -> KnownIncidents:
        """Return the records; a mistake in one is a warning, and an error in ``gate validate``."""
        from gate.config.known_incidents import read_records  # noqa: PLC0415 - for this rule only
        from gate.history.records import UnreadableRecord  # noqa: PLC0415 - as above

        patterns = _PATTERNS.read(node, reader)
        names = dict.fromkeys(name for pattern in patterns for name in reader.imports.find(pattern))
        records: dict[str, IncidentRecord] = {}
        unreadable: list[UnreadableRecord] = []
        for name in names:
            try:
                raw = reader.imports.read(name)
            except OSError as error:
                attempt = replace(reader, mistakes=[])
                attempt.note(node, f"{name} cannot be read: {error.strerror}")
                unreadable.append(UnreadableRecord(mistakes=tuple(attempt.mistakes)))
            else:
                unreadable += read_records(raw, reader.beside(name), records)
        for record in unreadable:
            reader.mistakes += [
                mistake if reader.offline else replace(mistake, fatal=False)
                for mistake in record.mistakes
            ]
        return KnownIncidents(patterns, tuple(records.values()), tuple(unreadable))

    def schema(self) -> JsonSchema:
        """Return the schema: a glob or several."""
        return _PATTERNS.schema()


def _build_postmortems(values: Values, _reader: Reader) -> "PostmortemRule":
    from gate.policy.rule_settings import PostmortemRule  # noqa: PLC0415 - for this rule only

    given = {"threshold": _THRESHOLD, **values.values}
    files: KnownIncidents = given.pop("known_incidents")
    return PostmortemRule(**files._asdict(), **given)


POSTMORTEMS: Final = Object(
    {
        "share": Field(
            schema=SHARE,
            doc="An incident that took more than this share of a budget needs a record.",
            required=True,
            example="20%",
        ),
        "known_incidents": Field(
            schema=_KnownIncidents(),
            doc="Globs of the records' files, relative to this file's folder.",
            required=True,
            formerly="records",
            example="incidents/*.yaml",
        ),
        "last": Field(
            schema=DURATION,
            doc="How far back incidents count. Default: the SLO's own window.",
            example="28d",
        ),
        "threshold": Field(
            schema=ABOVE_ZERO,
            doc="Burn rate at which an incident begins. Default: 6.",
            example="6",
        ),
        "allow": Field(
            schema=CLASSES,
            doc="Classes that ship anyway. Default: the repairs.",
            example="[rollback]",
        ),
        "excuse_reviewed": Field(
            schema=BOOLEAN,
            doc="Whether reviewed incidents excuse the budget that they took. Default: false.",
            formerly="releases",
            example="true",
        ),
    },
    _build_postmortems,
)


def _build_exhaustion(values: Values, _reader: Reader) -> "ExhaustionRule":
    from gate.policy.rule_settings import ExhaustionRule  # noqa: PLC0415 - for this rule only

    return ExhaustionRule(**values.values)


EXHAUSTION: Final = Object(
    {
        "within": Field(
            schema=DURATION,
            doc="The rule fires if a budget would run out within this time at the current rate.",
            required=True,
            example="3d",
        ),
        "effect": Field(
            schema=_EFFECTS,
            doc="Effect of the rule when it fires. Default: warn.",
            formerly="verdict",
            example="warn",
        ),
        "allow": Field(
            schema=CLASSES,
            doc="Classes that ship anyway. Default: the repairs.",
            example="[rollback]",
        ),
    },
    _build_exhaustion,
)


def _build_control_charts(values: Values, reader: Reader) -> "ControlChartRule":
    from gate.policy.rule_settings import ControlChartRule  # noqa: PLC0415 - for this rule only

    rule = ControlChartRule(**values.values)
    if not values.given("baseline"):
        rule = replace(rule, baseline=rule.last / 2)
    if rule.step > rule.last:
        raise reader.fail(values.node("step"), "step must not be longer than last")
    if rule.baseline >= rule.last:
        message = "baseline must be shorter than last, so that something is left to judge"
        raise reader.fail(values.node("baseline"), message)
    return rule


def _short_form(text: str) -> "ControlChartRule":
    from gate.policy.rule_settings import ControlChartRule  # noqa: PLC0415 - for this rule only

    return ControlChartRule(effect=_EFFECTS.parse(text))


CONTROL_CHARTS: Final = Union(
    Scalar(_short_form, _EFFECTS.schema()),
    Object(
        {
            "effect": Field(
                schema=_EFFECTS,
                doc="Effect of the rule on a signal. Default: warn.",
                formerly="verdict",
            ),
            "last": Field(schema=DURATION, doc="Length of the history on the chart. Default: 14d."),
            "step": Field(
                schema=DURATION, doc="Length of one point on the chart. Default: 1h.", example="1h"
            ),
            "baseline": Field(
                schema=DURATION,
                doc="Length of the baseline at the start of the chart. Default: half of last.",
                example="7d",
            ),
            "signal_ttl": Field(
                schema=DURATION,
                doc="How long a signal counts after it has ended. Default: 24h.",
                formerly="newest",
                example="24h",
            ),
            "allow": Field(
                schema=CLASSES,
                doc="Classes that ship anyway. Default: the repairs.",
                example="[rollback]",
            ),
        },
        _build_control_charts,
    ),
)
