"""The keys of a file of cases."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from gate.budget.impact import Impact
from gate.config.cases import CasesFile, Expectation, ExpectedRule, StatedCase, StatedChange
from gate.config.known_incidents import RECORD
from gate.config.stated import OTHERS, STATED_SLO
from gate.config.tier_schema import CLASSES
from gate.errors import ExitCode, PolicyError
from gate.measure import Cause
from gate.parsing.files import Folder, Imports, read_bytes
from gate.parsing.numbers import SHARE
from gate.parsing.objects import Field, Object, Values, as_read, build_as
from gate.parsing.reader import Reader, UnreadableError, compose, decode
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, Union
from gate.parsing.values import BOOLEAN, DURATION, INSTANT, NAME, TEXT
from gate.policy.case import StatedFinding
from gate.policy.changes import ChangeCommit
from gate.policy.findings import Rule, Verdict


def _words(doc: str) -> Field:
    return Field(schema=ListOf(TEXT), doc=doc)


def _commit(values: Values, _reader: Reader) -> ChangeCommit:
    return ChangeCommit(
        message=values.get("message"),
        trailers=tuple(values.get("trailers", {}).items()),
        paths=values.get("paths", ()),
    )


_COMMIT: Final = Object(
    {
        "message": Field(
            schema=TEXT, doc="Commit message; its first line has the type.", required=True
        ),
        "paths": _words("Files that the commit changes, from the top of the repository."),
        "trailers": Field(schema=MapOf(TEXT), doc="{Change-Class: canary}"),
    },
    _commit,
)
CHANGE: Final = Union(
    NAME,
    Object(
        {
            "paths": _words("Changed files, from the top of the repository."),
            "labels": _words("Labels of the pull request."),
            "branch": Field(schema=TEXT, doc="Branch that the change comes from."),
            "title": Field(schema=TEXT, doc="Title of the pull request."),
            "commits": Field(schema=ListOf(_COMMIT), doc="All commits of the change."),
            "approved_by": _words("Approvers of the change, as the policy names them."),
            "was_live": Field(schema=BOOLEAN, doc="Whether this commit was live before."),
        },
        build_as(StatedChange),
    ),
)
_IMPACT: Final = Object(
    {
        "canary": Field(schema=SHARE, doc="Share of the traffic. Default: 100%."),
        "failures": Field(
            schema=SHARE, doc="Share of the canary's requests that fail. Default: 100%."
        ),
        "detect": Field(schema=DURATION, doc="Time until the failure is detected. Default: 5m."),
    },
    build_as(Impact),
)


def _fires(text: str) -> Verdict:
    verdict = Choice(tuple(Verdict)).parse(text)
    if verdict is Verdict.ALLOW:
        raise ValueError("a rule that fires does more than allow; write warn, undecided or block")
    return verdict


_RULE: Final = Choice(tuple(Rule))
_FIRING: Final = tuple(verdict for verdict in Verdict if verdict is not Verdict.ALLOW)
EXPECTED_RULE: Final = Union(
    Scalar(lambda text: ExpectedRule(rule=_RULE.parse(text)), _RULE.schema()),
    Object(
        {
            "rule": Field(schema=_RULE, doc="Rule that fires.", required=True),
            "slo": Field(
                schema=NAME, doc="SLO of the finding. Default: any, or the change as a whole."
            ),
            "verdict": Field(
                schema=Scalar(_fires, Choice(_FIRING).schema()),
                doc="Verdict of the rule. Default: any except allow.",
            ),
        },
        build_as(ExpectedRule),
    ),
)
_CODES: Final = {
    str(int(code)): code
    for code in (ExitCode.ALLOW, ExitCode.UNDECIDED, ExitCode.BLOCK, ExitCode.WARN)
}


def _exit_code(text: str) -> ExitCode:
    if text not in _CODES:
        raise ValueError(f"{text!r} is not an exit code of a decision; known: {', '.join(_CODES)}")
    return _CODES[text]


def _all_or_none(text: str) -> frozenset[str] | Literal["all"]:
    return "all" if Choice(("all", "none")).parse(text) == "all" else frozenset()


_ALLOWED: Final[Union[frozenset[str] | Literal["all"]]] = Union(
    Scalar(_all_or_none, Choice(("all", "none")).schema()), CLASSES
)


def _expectation(values: Values, _reader: Reader) -> Expectation:
    given = {**values.values}
    if "obligations" in given:
        given["obligations"] = frozenset(given["obligations"])
    return Expectation(**given, nodes=values.nodes)


EXPECT: Final = Object(
    {
        "verdict": Field(
            schema=Choice(tuple(Verdict)), doc="Verdict of the policy.", required=True
        ),
        "exit_code": Field(
            schema=Scalar(_exit_code, {"enum": [*map(int, _CODES), *_CODES]}),
            doc="Exit code of gate check.",
        ),
        "change": Field(schema=NAME, doc="Change class that is recognised."),
        "tier": Field(schema=NAME, doc="Tier of the worst budget."),
        "worst_slo": Field(schema=NAME, doc="SLO with the worst budget."),
        "rules": Field(
            schema=ListOf(EXPECTED_RULE), doc="Rules that fire: their verdict is not allow."
        ),
        "no_other_rule": Field(
            schema=BOOLEAN, doc="Whether no other rule may fire. Default: false."
        ),
        "allowed_now": Field(
            schema=_ALLOWED, doc="The classes that may ship: all, none or a list."
        ),
        "obligations": _words("Requirements of the tier for the change."),
    },
    _expectation,
)
_FINDING: Final = Object(
    {
        "rule": Field(
            schema=Choice((Rule.POSTMORTEM, Rule.CONTROL_CHART)),
            doc="Rule that fires.",
            required=True,
        ),
        "slo": Field(schema=NAME, doc="SLO of the finding.", required=True),
        "unknown": Field(
            schema=Choice(tuple(Cause)),
            doc="Why the rule cannot be checked, so that it does not fire and on decides.",
        ),
    },
    build_as(StatedFinding),
)
_AT: Final = Field(schema=INSTANT, doc="Instant of the check, RFC 3339: 2026-11-20T14:00:00Z.")
CASE: Final = Object(
    {
        "name": Field(
            schema=TEXT, doc="Name of the case: a sentence that says what it shows.", required=True
        ),
        "at": _AT,
        "change": Field(
            schema=CHANGE,
            doc="Change class, or the facts from which it is recognised.",
            required=True,
        ),
        "slos": Field(schema=MapOf(STATED_SLO), doc="Stated facts about each SLO, by name."),
        "others": Field(
            schema=OTHERS, doc="Budget of all SLOs not named. Default: {remaining: 100%}."
        ),
        "records": Field(schema=ListOf(RECORD), doc="Incident records, in place of the policy's."),
        "findings": Field(
            schema=ListOf(_FINDING),
            doc="Rules on the past that fire or cannot be checked, if that past is not stated.",
        ),
        "satisfied": _words("Requirements that have been met."),
        "impact": Field(schema=_IMPACT, doc="Budget that the change may cost, counted as spent."),
        "fail_on": Field(schema=Choice(("warn",)), doc="warn: exit code 11 on a warning."),
        "ci_freeze": Field(
            schema=BOOLEAN, doc="Whether the CI system has declared a freeze. Default: false."
        ),
        "expect": Field(schema=EXPECT, doc="Expected outcome.", required=True),
    },
    as_read,
)


def _case(values: Values, at: datetime) -> StatedCase:
    given = {key: value for key, value in values.values.items() if key != "fail_on"}
    failing = bool(values.given("fail_on"))
    return StatedCase(**{"at": at, **given}, fail_on_warn=failing, nodes=values.nodes)


def _cases(values: Values, reader: Reader) -> tuple[StatedCase, ...]:
    at, names, whole = values.get("at"), dict[str, int](), True
    for case in values.get("cases"):
        node, name = case.node("name"), case.get("name")
        if name in names:
            reader.note(node, f"another case has this name, on line {names[name]}")
            whole = False
        names[name] = node.start_mark.line + 1
        if at is None and not case.given("at"):
            reader.note(case.node(), "the key 'at' is missing; add it here, or above all cases")
            whole = False
    if not whole:
        raise UnreadableError
    return tuple(_case(case, at) for case in values.get("cases"))


CASES: Final = Object(
    {
        "version": Field(schema=Choice(("1",)), doc="Version of the format: 1.", required=True),
        "at": replace(_AT, doc="Instant of every case that has no 'at' of its own."),
        "cases": Field(schema=ListOf(CASE, at_least=1), doc="The cases.", required=True),
    },
    _cases,
)


def load_cases(path: str, environ: Mapping[str, str]) -> CasesFile:
    """Read a file of cases, without comparing the names in it with a policy.

    Raises:
        PolicyError: it cannot be read, or is not valid; carries every mistake.
    """
    return read_cases(read_bytes(path), path, environ)


def read_cases(raw: bytes, path: str, environ: Mapping[str, str]) -> CasesFile:
    """Read the text of a file of cases, as `load_cases` does."""
    reader = Reader(file=path, environ=environ, imports=Imports(tree=Folder(Path(path).parent)))
    try:
        cases = CASES.read(compose(decode(raw, reader), reader), reader)
    except UnreadableError as error:
        raise PolicyError(tuple(sorted(set(reader.mistakes)))) from error
    return CasesFile(cases, reader)
