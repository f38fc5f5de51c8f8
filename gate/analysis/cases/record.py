"""A case out of a decision: the budgets that it was made by, and its verdict as expected."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, count, product
from typing import Any, Final

from gate.analysis.cases import CaseResult
from gate.analysis.cases.run import run_cases
from gate.analysis.cases.text import with_case
from gate.budget.coverage import Guards
from gate.check.measure import burn_windows
from gate.config.cases import CasesFile
from gate.config.cases_schema import read_cases
from gate.config.load import PolicyFile
from gate.config.stated import UNMEASURED
from gate.errors import PolicyError, UsageError
from gate.measure import Cause
from gate.parsing.values import parse_instant
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import Policy
from gate.policy.requirements import RequirementState
from gate.slo.objective import (
    CompositeSlo,
    PlatformSlo,
    RatioSlo,
    SpendSlo,
)
from gate.slo.quantities import format_duration

DecidedPolicy = Mapping[str, Any]
"""The part of a decision's document that speaks of one policy."""
_ON_THE_PAST: Final = frozenset({Rule.POSTMORTEM, Rule.CONTROL_CHART})
_SIMPLE: Final = 1000
"""The largest denominator of a share of something that is counted."""
_LONGEST: Final = 40
"""Characters of a number that is read without an exponent."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def add_case(
    raw: bytes, path: str, file: PolicyFile, document: Mapping[str, Any], name: str | None
) -> str:
    """Return the text of a file of cases with one more: a decision, which it comes to again.

    Args:
        raw: what the file holds; empty: there is none yet.
        path: of the file.
        file: the policy.
        document: of the decision, in its shape.
        name: of the case; None: what was decided, and when.

    Raises:
        UsageError: the decision is not about this policy, or does not say all that it was made by.
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
    """Yield which requirements may have been met: those that are named first.

    A decision names those of the change and its tier only; others may have mattered for what other
    classes may ship, and for what the verdict would be if what is suspected were so.
    """
    passing = {RequirementState.MET, RequirementState.CLAIMED}
    named = sorted(each["name"] for each in part["requirements"] if each["state"] in passing)
    every = {requirement.name for requirement in policy.requirements}
    yield named
    if every - {*named}:
        yield sorted(every)


def _past_findings(part: DecidedPolicy) -> Iterator[list[dict[str, str]]]:
    """Yield which rules on the past may have fired: those that a decision says did.

    It does not say of one that let its class pass whether it would have stopped others.
    """
    about = [f for f in part["findings"] if f["rule"] in _ON_THE_PAST and f["slo"] is not None]
    firing = [f for f in about if f["verdict"] != Verdict.ALLOW]
    yield _stated_findings(firing)
    if len(firing) < len(about):
        yield _stated_findings(about)


def _stated_findings(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    stated = [{key: finding[key] for key in ("rule", "slo")} for finding in findings]
    return [each for place, each in enumerate(stated) if each not in stated[:place]]


def _differs(result: CaseResult, part: DecidedPolicy, file: PolicyFile) -> str:
    """Say in what the policy comes to something else than the decision, and why that may be."""
    wrong = "; ".join(
        f"{mismatch.what} was {mismatch.expected}, and comes to {mismatch.actual}"
        for mismatch in result.mismatches
    )
    if part["source"]["sha256"] != file.source.sha256:
        why = f"{file.source.path} is not the policy that decided: its text is another"
    else:
        why = (
            "a decision does not hold all that it was made by, such as a past that was not known;"
            " write this case by hand"
        )
    return f"the case would not come to what was decided ({wrong}): {why}"


def _unique(name: str, names: Collection[str]) -> str:
    numbers = (f"{name} ({number})" for number in count(2))
    return next(unused for unused in chain([name], numbers) if unused not in names)


def _decided_by(document: Mapping[str, Any], policy: Policy) -> DecidedPolicy:
    """Return what a decision says of the service of a policy.

    Raises:
        UsageError: it does not mention it.
    """
    decided: list[DecidedPolicy] = document["policies"]
    for part in decided:
        if part["service"] == policy.service:
            return part
    services = ", ".join(str(part["service"]) for part in decided)
    raise UsageError(f"the decision is about {services}, and not about {policy.service}")


def _case_name(document: Mapping[str, Any], part: DecidedPolicy) -> str:
    """Return what a case is called that nobody gave a name."""
    return f"{part['verdict']} of {part['change_class']} at {document['evaluated_at']}"


def recorded_case(
    document: Mapping[str, Any], part: DecidedPolicy, policy: Policy, name: str
) -> dict[str, Any]:
    """Return a case as it stands in a file, in plain data: words, numbers, lists and blocks.

    Args:
        document: of the decision.
        part: what it says of the policy.
        policy: under which the case is to be tried.
        name: of the case.

    Raises:
        UsageError: the decision does not say what the case would have to state.
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
        case["ci_freeze"] = True  # one of the policy's has an end
    by_name = {slo["name"]: slo for slo in part["slos"]}
    impacts = [slo["impact"] for slo in part["slos"] if slo["impact"] and slo["impact"]["stated"]]
    if impacts:
        case["impact"] = _impact(impacts[0])
    case["slos"] = {}
    for slo in policy.slos:
        if slo.name not in by_name:
            raise UsageError(f"the decision does not mention the SLO {slo.name}")
        if not isinstance(slo, CompositeSlo):
            case["slos"][slo.name] = dict(_statement(slo, by_name[slo.name], policy, at))
    case["expect"] = _expectation(part)
    return case


def _impact(impact: Mapping[str, Any]) -> dict[str, Any]:
    detect = timedelta(seconds=impact["detect_seconds"])
    shares = {key: _share(impact[key]) for key in ("canary", "failures")}
    return {**shares, "detect": format_duration(detect)}


def _statement(
    slo: RatioSlo | SpendSlo | PlatformSlo, stated: Mapping[str, Any], policy: Policy, at: datetime
) -> Iterator[tuple[str, Any]]:
    """Yield what a case states of an SLO, by key."""
    causes = [Cause(doubt["cause"]) for doubt in stated["doubts"]]
    measured = stated["consumed"] is not None
    if not measured:
        if causes[0] not in UNMEASURED:
            raise UsageError(f"{slo.name} is not measured ({causes[0]}), which no case can state")
        yield "unmeasured", str(causes[0])
    elif isinstance(slo, SpendSlo):
        yield "spent", _number(stated["spent"])
    elif isinstance(slo, PlatformSlo) or stated["total"] is None:
        yield "remaining", _share(1 - stated["consumed"])
        if rounding := stated.get("remaining_rounding"):
            left = 1 - stated["consumed"]
            yield "rounding", _share(max(left - rounding[0], rounding[1] - left))
    else:
        yield from (("total", _number(stated["total"])), ("bad", _number(stated["bad"])))
    if not isinstance(slo, SpendSlo) and (rates := dict(_burn_rates(slo, stated, policy))):
        yield "burn_rates", rates
    if measured:
        yield from _evidence(stated, causes, policy.guards_of(slo), at)


def _burn_rates(
    slo: RatioSlo | PlatformSlo, stated: Mapping[str, Any], policy: Policy
) -> Iterator[tuple[str, Any]]:
    """Yield the burn rates that are not what stands for one that is left out."""
    measured = stated["consumed"] is not None
    doubts = {doubt["window"]: doubt["cause"] for doubt in stated["burn_rate_doubts"]}
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    for window in burn_windows(policy):
        name = format_duration(window)
        if name not in stated["burn_rates"] or (slices and window < slices.length):
            continue
        rate = stated["burn_rates"][name]
        if rate is None and (measured or doubts[name] != stated["status"]):
            yield name, doubts[name]
        elif rate is not None and (rate or not measured):
            yield name, _number(rate)


def _evidence(
    stated: Mapping[str, Any], causes: list[Cause], guards: Guards, at: datetime
) -> Iterator[tuple[str, Any]]:
    if stated["newest"] is not None:
        age = (at - parse_instant(stated["newest"])) // _MILLISECOND * _MILLISECOND
        if age > timedelta():
            yield "newest", format_duration(age)
    coverage = _coverage(stated, causes, guards)
    if coverage not in {None, "1", "1.0"}:
        yield "coverage", coverage
    if Cause.PARTIAL in causes:
        yield "partial", True
    if stated["suspicions"]:
        yield "suspicions", [_suspicion(suspicion) for suspicion in stated["suspicions"]]


def _coverage(stated: Mapping[str, Any], causes: list[Cause], guards: Guards) -> str | None:
    """Return the share of the window with data; holes, which count twice, make it less."""
    share = stated["coverage"]
    if share is None:
        return None
    if Cause.LOW_COVERAGE in causes and share >= guards.min_coverage:
        return _share(float((guards.min_coverage + guards.floor) / 2))
    if Cause.MOSTLY_UNCOVERED in causes and share >= guards.floor:
        return _share(float(guards.floor / 2))
    return _share(share)


def _suspicion(suspicion: Mapping[str, Any]) -> dict[str, Any]:
    return {"cause": suspicion["cause"]} | {
        key: "any" if suspicion[key] is None else _number(suspicion[key])
        for key in ("hidden", "doubtful")
    }


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


def _number(value: float) -> str:
    """Write a number so that the same is read: 4000/3 where it is that, and no decimal is."""
    text = _share(value)
    simple = Fraction(value).limit_denominator(_SIMPLE)
    if float(simple) == value and simple != Fraction(text):
        return f"{simple.numerator}/{simple.denominator}"
    return text


def _share(value: float) -> str:
    """Write a number with all its digits, and without an exponent where there is room."""
    text = f"{Decimal(repr(value)):f}"
    return text if len(text) <= _LONGEST else repr(value)
