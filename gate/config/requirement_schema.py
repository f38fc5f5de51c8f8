"""What a tier may require of a change: a bare name, an evaluation, or a shadow deployment."""

import posixpath
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import yaml

from gate.errors import nearest
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, decode
from gate.parsing.schema import Choice, JsonSchema, ListOf, Scalar, Union, child_at, pairs
from gate.parsing.values import ABOVE_NONE, ABOVE_ZERO, COUNT, DURATION, NAME, TEXT
from gate.policy.requirements import Claim, EvaluationRequirement, Requirement, ShadowRequirement
from gate.policy.tiers import Tier
from gate.slo.objective import Slo
from gate.slo.quantities import parse_ratio

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


_LARGEST_MARGIN: Final = 10
"""Budgets; more than that would let nearly every request of most services fail."""


def _result_files(text: str) -> str:
    pattern = posixpath.normpath(text)
    if pattern.startswith(("/", "~")) or "\\" in text or re.match("[A-Za-z]:", text):
        raise ValueError(
            f"{text!r} is not a valid path; write it from the folder that gate runs in, with /:"
            " evals/*.json"
        )
    return pattern


def _count_from_one(text: str) -> int:
    number = COUNT.parse(text)
    if not number:
        raise ValueError("0 is too few; write a whole number, 1 or more")
    return number


def _margin(text: str) -> Fraction:
    margin = parse_ratio(text)
    if margin <= 0:
        raise ValueError(
            f"{text} must be above 0%: no number of requests shows that two deployments are"
            " exactly alike; write for example 10%"
        )
    if margin > _LARGEST_MARGIN:
        raise ValueError(f"{text} is more than ten whole budgets; write 1000% or less")
    return margin


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a hash of case ids: 64 hexadecimal digits in lower case, as gate"
            " evaluation prints them"
        )
    return text


_FROM_ONE: Final = Scalar(
    _count_from_one, {"type": ["integer", "string"], "minimum": 1, "pattern": "^0*[1-9][0-9]*$"}
)
_FILE: Final = Scalar(
    _result_files,
    {
        **TEXT.json,
        "pattern": r"^(?![/~]|[A-Za-z]:)[^\\]+$",
        "examples": ["evals/*.json"],
    },
)
_FILES: Final = Union(
    Scalar(lambda text: (_result_files(text),), _FILE.json), ListOf(_FILE, at_least=1)
)
_MARGIN: Final = Scalar(
    _margin,
    {
        "type": ["string", "number"],
        "exclusiveMinimum": 0,
        "pattern": r"^\s*\+?(?=[0-9.]*[1-9])[0-9]*\.?[0-9]*\s*%?\s*$",
        "examples": ["10%"],
    },
)


class _From:
    """Where result files are: a glob, or several."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[str, ...]:
        """Return the globs."""
        if isinstance(node, yaml.MappingNode):
            message = (
                "result files are named by globs; let a step download the artifact first, and"
                f" write their paths{reader.form()}"
            )
            raise reader.fail(node, message)
        return _FILES.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return both forms."""
        return _FILES.schema()


class _CaseIds:
    """The ids of the cases: a list of them, or a file that has them, one a line."""

    def read(self, node: yaml.Node, reader: Reader) -> frozenset[str]:
        """Return the ids, of which there is at least one and none is there twice."""
        if isinstance(node, yaml.ScalarNode):
            ids = _lines(node, reader)
        else:
            ids = ListOf(TEXT, at_least=1).read(node, reader)
        twice = sorted({case_id for case_id in ids if ids.count(case_id) > 1})[:1]
        if twice:
            raise reader.fail(node, f"the case {twice[0]!r} is there twice; remove one of the two")
        return frozenset(ids)

    def schema(self) -> JsonSchema:
        """Return both forms."""
        return {"anyOf": [TEXT.schema(), ListOf(TEXT, at_least=1).schema()]}


def _lines(node: yaml.ScalarNode, reader: Reader) -> tuple[str, ...]:
    """Return the lines of a file beside the policy, which is as much the policy as its own text."""
    name = TEXT.read(node, reader)
    if set(name) & set("*?\\") or posixpath.isabs(name):
        message = f"{name!r} is not the name of one file; write it from this file's folder, with /"
        raise reader.fail(node, message)
    files = reader.imports.find(name)
    if not files:
        where = "paths start from this file's folder"
        raise reader.fail(node, f"there is no file {name!r}; {where}")
    try:
        text = decode(reader.imports.read(files[0]), reader.beside(files[0]))
    except OSError as error:
        raise reader.fail(node, f"{files[0]} cannot be read: {error.strerror}") from error
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise reader.fail(node, f"{files[0]} has no case; write one id on each line")
    return lines


def _build_evaluation(values: Values, reader: Reader) -> EvaluationRequirement:
    compared = "not_worse_than" in values.values
    if "base_from" in values.values and not compared:
        message = "base_from is only read with not_worse_than; add not_worse_than: base"
        raise reader.fail(values.node("base_from"), message)
    if len(values.given("case_ids", "case_digest")) > 1:
        message = "'case_ids' and 'case_digest' say the same; remove one of the two"
        raise reader.fail(values.node("case_digest"), message)
    case_ids, cases = values.get("case_ids"), values.get("cases")
    if case_ids is not None and cases is not None and cases > len(case_ids):
        message = (
            f"cases is {cases:,}, and case_ids has only {len(case_ids):,}: it could never be met;"
            f" write cases: {len(case_ids)}"
        )
        raise reader.fail(values.node("cases"), message)
    if values.get("at_least") == 1 and cases is None:
        message = "no number of cases proves that all of them pass; add cases: how many are enough"
        raise reader.fail(values.node("at_least"), message)
    return EvaluationRequirement(
        name=values.get("evaluation"),
        files=values.get("from"),
        base_files=values.get("base_from", ()),
        not_worse_than_base=compared,
        **values.only(
            *("at_least", "cases", "max_age", "metric", "score"),
            *("case_ids", "case_digest", "repeats"),
        ),
    )


EVALUATION: Final = Object(
    {
        "evaluation": Field(
            schema=NAME,
            doc="Name of the evaluation, and of its metric unless metric says another.",
            required=True,
            example="faithfulness",
        ),
        "from": Field(
            schema=_From(),
            doc="Globs of its result files, from the folder that gate runs in.",
            required=True,
            example='"evals/*.json"',
        ),
        "at_least": Field(
            schema=ABOVE_NONE,
            doc="Share of the distinct cases that must pass.",
            required=True,
            example="95%",
        ),
        "cases": Field(
            schema=_FROM_ONE,
            doc="How many distinct cases are enough to compare their share itself."
            " Default: the 95% interval of the share decides.",
            example="200",
        ),
        "max_age": Field(
            schema=DURATION,
            doc="How long ago the evaluation may have run. Default: any time.",
            example="24h",
        ),
        "not_worse_than": Field(
            schema=Choice(("base",)),
            doc="base: compare case by case with the results of the commit before the change.",
            example="base",
        ),
        "base_from": Field(
            schema=_FILES,
            doc="Globs of the result files of the base. Default: those of from.",
            example='"evals-base/*.json"',
        ),
        "metric": Field(
            schema=TEXT,
            doc="Metric, scorer or column that counts, or all for every check of a case."
            " Default: the evaluation's name.",
            example='"exact_match,none"',
        ),
        "score": Field(
            schema=ABOVE_ZERO,
            doc="Score that a case needs to pass, above 0. Default: as the tool says.",
            example="0.8",
        ),
        "case_ids": Field(
            schema=_CaseIds(),
            doc="Ids of exactly the cases that must be there, or a file that has them, one a line,"
            " relative to this file's folder. Default: any cases.",
            example="golden-set.txt",
        ),
        "case_digest": Field(
            schema=Scalar(_digest, {"type": "string", "pattern": f"^{_DIGEST.pattern}$"}),
            doc="Hash of these ids, as gate evaluation prints it. Default: any cases.",
            example="4f1c0a6f7e9b2d3c8a5e4b7f6d1c2a3b9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b",
        ),
        "repeats": Field(
            schema=_FROM_ONE,
            doc="How many times each case is run; it passes if all of them pass. Default: 1.",
            example="3",
        ),
    },
    _build_evaluation,
)


def _build_shadow(values: Values, reader: Reader) -> ShadowRequirement:
    if values.get("candidate") == values.get("against"):
        message = "candidate and against are the same; write the value of the live deployment"
        raise reader.fail(values.node("against"), message)
    return ShadowRequirement(
        lasting=values.get("for"),
        slos=values.get("slos", ()),
        **values.only("by", "candidate", "against", "margin", "pair_by"),
    )


_COMPARISON: Final = Object(
    {
        "by": Field(
            schema=TEXT,
            doc="Label (Prometheus) or column (logs) that separates the two deployments.",
            required=True,
            example="deployment",
        ),
        "candidate": Field(
            schema=TEXT, doc="Its value for the shadow.", required=True, example="shadow"
        ),
        "against": Field(
            schema=TEXT, doc="Its value for the live deployment.", required=True, example="live"
        ),
        "slos": Field(
            schema=ListOf(NAME, at_least=1),
            doc="SLOs that are compared. Default: all that count events.",
            example="[availability]",
        ),
        "margin": Field(
            schema=_MARGIN,
            doc="By how much its error ratio may exceed that of live: a share of the error budget.",
            required=True,
            example="10%",
        ),
        "for": Field(
            schema=DURATION,
            doc="How much of the time before the decision is compared.",
            required=True,
            example="1h",
        ),
        "pair_by": Field(
            schema=TEXT,
            doc="Column (logs) with the id that a request and its mirrored copy share."
            " Default: requests are not paired.",
            example="request_id",
        ),
    },
    _build_shadow,
)
SHADOW: Final = Object(
    {
        "shadow": Field(
            schema=_COMPARISON,
            doc="A shadow deployment that must be shown not to be worse than the live one.",
            required=True,
            example="{by: deployment, candidate: shadow, against: live, margin: 10%, for: 1h}",
        )
    },
    lambda values, _: values.get("shadow"),
)
_KINDS: Final[dict[str, Object[Any]]] = {"evaluation": EVALUATION, "shadow": SHADOW}
_FORMS: Final = (
    "{evaluation: faithfulness, from: evals/*.json, at_least: 95%}, or {shadow: {by: deployment,"
    " candidate: shadow, against: live, margin: 10%, for: 1h}}"
)


class _Requirement:
    """One requirement: a name, or a block that says how it is checked."""

    def read(self, node: yaml.Node, reader: Reader) -> Requirement:
        """Return which of the three it is."""
        if not isinstance(node, yaml.MappingNode):
            return Claim(name=NAME.read(node, reader))
        keys = [key for key, _ in pairs(node, reader)]
        kinds = [key.value for key in keys if key.value in _KINDS]
        if len(kinds) == 1:
            requirement: Requirement = _KINDS[kinds[0]].read(node, reader)
            return requirement
        if kinds:
            message = "an entry checks one thing; write evaluation and shadow as two entries"
            raise reader.fail(node, message)
        for key in keys:
            if "did you mean" in (hint := nearest(key.value, _KINDS)):
                raise reader.fail(key, f"unknown key {key.value!r}{hint}")
        raise reader.fail(node, f"the entry does not say what is checked; write {_FORMS}")

    def schema(self) -> JsonSchema:
        """Return the three."""
        return {"anyOf": [NAME.schema(), *(block.schema() for block in _KINDS.values())]}


class _Requirements(ListOf[Requirement]):
    """What is required of one change class: names differ."""

    def __init__(self) -> None:
        super().__init__(_Requirement(), at_least=1)

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Requirement, ...]:
        """Return the requirements."""
        requirements = super().read(node, reader)
        names = [requirement.name for requirement in requirements]
        for place, name in enumerate(names):
            if name in names[:place]:
                remedy = "remove one"
                if not isinstance(requirements[place], ShadowRequirement):
                    remedy += ", or give it another name"
                message = f"{name!r} is required twice; {remedy}"
                raise reader.fail(node.value[place], message)
        return requirements


REQUIREMENTS: Final = _Requirements()


def check_requirements(
    tiers: tuple[Tier, ...], node: yaml.Node, slos: tuple[Slo, ...], reader: Reader
) -> bool:
    """Note each shadow that no data could meet: its SLOs count no events, or its time is too short.

    Args:
        tiers: as they were read.
        node: of the tiers.
        slos: of the policy.
        reader: takes the mistakes.
    """
    whole = True
    for requirement, place in required(tiers, node):
        if isinstance(requirement, ShadowRequirement):
            from gate.policy.shadows import why_no_shadow  # noqa: PLC0415 - for shadows only

            mistake = why_no_shadow(slos, requirement)
            if mistake is not None:
                reader.note(place, mistake)
                whole = False
    return whole


def warn_of_bare_names(tiers: tuple[Tier, ...], node: yaml.Node, reader: Reader) -> None:
    """Warn of what can never be met, since nothing checks it and the policy refuses claims."""
    for requirement, place in required(tiers, node):
        if isinstance(requirement, Claim):
            message = (
                f"{requirement.name} can only be claimed, and this policy refuses claims: it is"
                " never met; say how it is checked, or add claims: allowed"
            )
            reader.note(place, message, fatal=False)


def required(tiers: tuple[Tier, ...], node: yaml.Node) -> Iterator[tuple[Requirement, yaml.Node]]:
    """Yield each requirement of the tiers, with where it stands."""
    for tier, entry in zip(tiers, node.value, strict=True):
        for change, requirements in tier.require.items():
            places = child_at(entry, "require", change).value
            yield from zip(requirements, places, strict=True)
