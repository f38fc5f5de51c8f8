"""A case from a decision: its budgets, and its verdict as the expected one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count, product
from typing import Any, Final

from gate.analysis.cases import CaseResult
from gate.analysis.cases.run import run_cases
from gate.analysis.cases.statement import stated_impact, statement
from gate.analysis.cases.text import with_case
from gate.config.cases import CasesFile
from gate.config.cases_schema import read_cases
from gate.config.load import PolicyFile
from gate.errors import PolicyError, UsageError
from gate.measure import Cause
from gate.parsing.values import parse_instant
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import Policy
from gate.policy.requirements import RequirementState
from gate.slo.objective import CompositeSlo

DecidedPolicy = Mapping[str, Any]
"""The part of a decision's document about one policy."""
_ON_THE_PAST: Final = frozenset({Rule.POSTMORTEM, Rule.CONTROL_CHART})


def add_case(
    raw: bytes, path: str, file: PolicyFile, document: Mapping[str, Any], name: str | None
) -> str:
    """Return the text of a file of cases with another case, which leads to the same decision.

    Args:
        raw: the content of the file; empty if the file does not exist yet.
        path: the path of the file.
        file: the policy.
        document: the document of the decision, in the form of its schema.
        name: the name of the case; None: the decision and its time.

    Raises:
        UsageError: the decision is not about this policy, or lacks facts that it was based on.
        PolicyError: there is a mistake in the file.
    """
    cases = read_cases(raw, path, {}).cases if raw else ()
    part = _decided_by(document, file.policy)
    name = _unique(name or _case_name(document, part), {case.name for case in cases})
    case = recorded_case(document, part, file.policy, name)
    text = raw.decode("utf-8-sig")
    results = []
    for satisfied, findings in product(_satisfied(part, file.policy), _past_findings(part)):
        given = {"satisfied": satisfied, "findings": findings}
        attempt = {**case, **{key: stated for key, stated in given.items() if stated}}
        added = with_case(text, attempt, path)
        result = _tried(added, path, file)
        if result.passed:
            return added
        results.append(result)
    raise UsageError(_differs(results[0], part, file))


def _tried(text: str, path: str, file: PolicyFile) -> CaseResult:
    """Try the last case of a file."""
    added = read_cases(text.encode(), path, {})
    try:
        tests = run_cases(file, CasesFile(added.cases[-1:], added.reader))
    except PolicyError as error:
        reasons = "; ".join(mistake.message for mistake in error.mistakes)
        message = f"the decision cannot be stated as a case of this policy: {reasons}"
        raise UsageError(message) from error
    return tests.results[0]


def _satisfied(part: DecidedPolicy, policy: Policy) -> Iterator[list[str]]:
    """Yield the requirements that may have been met: those that are named first.

    A decision names only those of the change and its tier; others may have mattered for other
    classes, and for the verdict under suspicions.
    """
    passing = {RequirementState.MET, RequirementState.CLAIMED}
    named = sorted(each["name"] for each in part["requirements"] if each["state"] in passing)
    every = {requirement.name for requirement in policy.requirements}
    yield named
    if every - {*named}:
        yield sorted(every)


def _past_findings(part: DecidedPolicy) -> Iterator[list[dict[str, str]]]:
    """Yield the rules on the past that may have fired, or could not be checked, by a decision.

    If such a rule let its class pass, the decision does not say whether it would have stopped
    others. A rule that does not cover an SLO needs no statement.
    """
    about = [
        finding
        for finding in part["findings"]
        if finding["slo"] is not None
        and {finding["rule"], finding["unchecked"]} & _ON_THE_PAST
        and finding["cause"] != Cause.NOT_COVERED
    ]
    firing = [f for f in about if f["verdict"] != Verdict.ALLOW]
    yield _stated_findings(firing)
    if len(firing) < len(about):
        yield _stated_findings(about)


def _stated_findings(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    stated = [_stated_finding(finding) for finding in findings]
    return [each for place, each in enumerate(stated) if each not in stated[:place]]


def _stated_finding(finding: Mapping[str, Any]) -> dict[str, str]:
    if finding["unchecked"] is None:
        return {key: finding[key] for key in ("rule", "slo")}
    return {"rule": finding["unchecked"], "slo": finding["slo"], "unknown": finding["cause"]}


def _differs(result: CaseResult, part: DecidedPolicy, file: PolicyFile) -> str:
    """Say how the policy's result differs from the decision, and why that may be."""
    wrong = "; ".join(
        f"{mismatch.what} was {mismatch.expected}, and comes to {mismatch.actual}"
        for mismatch in result.mismatches
    )
    if part["source"]["sha256"] != file.source.sha256:
        why = f"{file.source.path} is not the policy that decided: its text is another"
    else:
        why = (
            "a decision does not hold all that it was made by, such as the past of an incident that"
            " is excused; write this case by hand"
        )
    return f"the case would not reach the recorded decision ({wrong}): {why}"


def _unique(name: str, names: Collection[str]) -> str:
    numbers = (f"{name} ({number})" for number in count(2))
    return next(unused for unused in chain([name], numbers) if unused not in names)


def _decided_by(document: Mapping[str, Any], policy: Policy) -> DecidedPolicy:
    """Return the part of a decision about the service of a policy.

    Raises:
        UsageError: no such part.
    """
    decided: list[DecidedPolicy] = document["policies"]
    for part in decided:
        if part["service"] == policy.service:
            return part
    services = ", ".join(str(part["service"]) for part in decided)
    raise UsageError(f"the decision is about {services}, and not about {policy.service}")


def _case_name(document: Mapping[str, Any], part: DecidedPolicy) -> str:
    """Return the name of a case without a given name."""
    return f"{part['verdict']} of {part['change_class']} at {document['evaluated_at']}"


def recorded_case(
    document: Mapping[str, Any], part: DecidedPolicy, policy: Policy, name: str
) -> dict[str, Any]:
    """Return a case as plain data for a file: words, numbers, lists and blocks.

    Args:
        document: the document of the decision.
        part: its part about the policy.
        policy: the policy of the case.
        name: the name of the case.

    Raises:
        UsageError: the decision lacks facts that the case must state.
    """
    at = parse_instant(document["evaluated_at"])
    case: dict[str, Any] = {
        "name": name,
        "at": document["evaluated_at"],
        "change": part["change_class"],
    }
    if document["fail_on_warn"]:
        case["fail_on"] = "warn"
    if any(f["rule"] == Rule.FREEZE and f["until"] is None for f in part["findings"]):
        case["ci_freeze"] = True  # a freeze of the policy itself has an end
    by_name = {slo["name"]: slo for slo in part["slos"]}
    impacts = [slo["impact"] for slo in part["slos"] if slo["impact"] and slo["impact"]["stated"]]
    if impacts:
        case["impact"] = stated_impact(impacts[0])
    case["slos"] = {}
    for slo in policy.slos:
        if slo.name not in by_name:
            raise UsageError(f"the decision does not mention the SLO {slo.name}")
        if not isinstance(slo, CompositeSlo):
            case["slos"][slo.name] = dict(statement(slo, by_name[slo.name], policy, at))
    case["expect"] = _expectation(part)
    return case


def _expectation(part: DecidedPolicy) -> dict[str, Any]:
    firing = [finding for finding in part["findings"] if finding["verdict"] != Verdict.ALLOW]
    rules = [
        {key: finding[key] for key in ("rule", "slo", "verdict") if finding[key] is not None}
        for finding in firing
    ]
    expected = {
        "verdict": part["verdict"],
        "tier": part["tier"],
        "worst_slo": part["worst_slo"],
        "rules": [rule for place, rule in enumerate(rules) if rule not in rules[:place]],
        "no_other_rule": True,
        "allowed_now": part["allowed_now"],
        "obligations": part["obligations"],
    }
    return {key: value for key, value in expected.items() if value is not None}
