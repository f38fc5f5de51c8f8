"""Try the cases of a policy: each is judged like in ``gate check``, by its statements."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gate.analysis.cases import CaseResult, Mismatch, PolicyCases
from gate.analysis.cases.answers import SloStatement
from gate.analysis.cases.backend import ImpossibleError, StatedAnswers, StatedBackend
from gate.analysis.cases.checks import check_names, check_past
from gate.analysis.cases.statement import stand_in
from gate.check.decide import BudgetsAndPast
from gate.check.measure import burn_windows
from gate.check.options import Options, StatedEvidence
from gate.check.run import judge_measured, measure_and_gather
from gate.config.cases import CasesFile, ExpectedRule, StatedCase, StatedChange, StatedSlo
from gate.config.load import PolicyFile
from gate.decision.decision import Context, Decision
from gate.errors import ExitCode, PolicyError
from gate.parsing.reader import Reader
from gate.policy.case import Past
from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher
from gate.policy.findings import Finding, Verdict
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, Slo

StatedBudgets = tuple[StatedCase, Mapping[str, StatedAnswers]]
"""Pairs of a case and the answers for each SLO."""
Pasts = dict[Hashable, Past]
"""The pasts for the rules on the past, by all that each depends on."""


def run_cases(file: PolicyFile, cases: CasesFile) -> PolicyCases:
    """Try every case under a policy, without any query, and without the settings of its backend.

    Raises:
        PolicyError: a case has a name that the policy lacks, or an impossible statement; carries
            every such mistake.
    """
    reader = cases.reader
    stated = check_cases(cases, file.policy)
    pasts: Pasts = {}
    results = [_try(file, case, answers, reader, pasts) for case, answers in stated]
    _raise_mistakes(reader)
    return PolicyCases(
        policy=file.policy, source=file.source, path=cases.path, results=tuple(results)
    )


def check_cases(cases: CasesFile, policy: Policy) -> list[StatedBudgets]:
    """Return each case with the answers for each SLO, if the policy has all its names.

    Raises:
        PolicyError: as for `run_cases`.
    """
    check_names(cases, policy)
    stated = [(case, stated_answers(case, policy, cases.reader)) for case in cases.cases]
    _raise_mistakes(cases.reader)
    return stated


def _raise_mistakes(reader: Reader) -> None:
    if reader.mistakes:
        raise PolicyError(tuple(sorted(set(reader.mistakes))))


def _try(
    file: PolicyFile,
    case: StatedCase,
    answers: Mapping[str, StatedAnswers],
    reader: Reader,
    pasts: Pasts,
) -> CaseResult:
    stated, options = replace(file, policy=_policy(file.policy, case)), _options(case)
    measured = _measure(stated.policy, case, answers, options, pasts)
    check_past(case, stated.policy, measured[1], reader)
    decision = judge_measured([stated], [measured], options, None)
    return CaseResult(
        case=case, decision=decision, mismatches=tuple(_mismatches(case, decision, file.policy))
    )


def _measure(
    policy: Policy,
    case: StatedCase,
    answers: Mapping[str, StatedAnswers],
    options: Options,
    pasts: Pasts,
) -> BudgetsAndPast:
    """Measure the statements of a case; a past that several cases share is searched once."""
    backend = StatedBackend(answers)
    key = case.at, case.records, tuple((name, each.past) for name, each in answers.items())
    if key not in pasts:
        budgets, pasts[key] = measure_and_gather(policy, backend, options)
    else:
        present = replace(policy, postmortems=None, control_charts=None)
        budgets, _ = measure_and_gather(present, backend, options)
    evidence = options.evidence(policy, options.at)
    return budgets, replace(pasts[key], evidence=evidence, stated=case.findings)


def _policy(policy: Policy, case: StatedCase) -> Policy:
    """Return the policy with indicators for `StatedBackend`, and the records of the case.

    Records that people write later must not change the outcome of a case.
    """
    rule = policy.postmortems
    return replace(
        policy,
        slos=tuple(_slo(slo, case.slos.get(slo.name, case.others)) for slo in policy.slos),
        postmortems=None if rule is None else replace(rule, records=case.records, unreadable=()),
    )


def _slo(slo: Slo, stated: StatedSlo) -> Slo:
    if isinstance(slo, CompositeSlo):
        return slo
    slo = stand_in(slo)
    named = replace(slo, sli=replace(slo.sli, series=slo.name))
    if isinstance(named, RatioSlo) and stated.remaining is not None:
        return replace(named, sampled=None)  # the remaining share is stated, not estimated
    return named


def _options(case: StatedCase) -> Options:
    satisfied = dict.fromkeys(case.satisfied, "stated in the case")
    options = Options(
        at=case.at,
        change_from="the case",
        satisfied=satisfied,
        evidence=StatedEvidence(satisfied),
        context=Context(system="the CI system", frozen=case.ci_freeze),
        impact=case.impact,
        fail_on_warn=case.fail_on_warn,
    )
    change = case.change
    if isinstance(change, str):
        return replace(options, change=change)
    facts = _facts(change)

    def approve(matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
        by = tuple(who for who in matcher.approved_by if who in change.approved_by)
        return Approval(by=by, why_not="" if by else "the case states no approval of it")

    return replace(options, facts=lambda _live: facts, approve=approve)


def _facts(change: StatedChange) -> ChangeFacts:
    """Return everything that is known about a change."""
    touched = dict.fromkeys(path for commit in change.commits for path in commit.paths or ())
    return ChangeFacts(
        paths=tuple(touched) if change.paths is None else change.paths,
        commits=change.commits,
        titles=() if change.title is None else (change.title,),
        labels=change.labels,
        branches=() if change.branch is None else (change.branch,),
        was_live="stated in the case" if change.was_live else "",
    )


def _mismatches(case: StatedCase, decision: Decision, policy: Policy) -> Iterator[Mismatch]:
    """Yield the differences from the expected outcome, in the order of a decision."""
    expect, (decided,) = case.expect, decision.policies
    judgement = decided.judgement
    tier, worst = judgement.tier, judgement.worst
    pairs = {
        "verdict": (expect.verdict, decided.verdict),
        "exit_code": (expect.exit_code, decision.exit_code),
        "change": (expect.change, decided.change_class),
        "tier": (expect.tier, "none" if tier is None else tier.name),
        "worst_slo": (expect.worst_slo, "none" if worst is None else worst.slo.name),
    }
    for what, (expected, actual) in pairs.items():
        if expected is not None and expected != actual:
            yield Mismatch(what=what, expected=_word(expected), actual=_word(actual))
    yield from _rule_mismatches(case, judgement.findings)
    allowed = policy.change_classes if expect.allowed_now == "all" else expect.allowed_now
    for what, names, actual_names in (
        ("allowed_now", allowed, decided.allowed_now),
        ("obligations", expect.obligations, judgement.obligations),
    ):
        if names is not None and names != frozenset(actual_names):
            yield Mismatch(what=what, expected=_listed(names), actual=_listed(actual_names))


def _rule_mismatches(case: StatedCase, findings: Sequence[Finding]) -> Iterator[Mismatch]:
    firing = [finding for finding in findings if finding.verdict is not Verdict.ALLOW]
    fires = _listed(_of_finding(finding) for finding in firing)
    for rule in case.expect.rules:
        if not any(_is(rule, finding) for finding in firing):
            yield Mismatch(what="rules", expected=str(rule), actual=fires)
    others = [
        _of_finding(finding)
        for finding in firing
        if not any(_is(rule, finding) for rule in case.expect.rules)
    ]
    if case.expect.no_other_rule and others:
        beside = f" but {_listed(map(str, case.expect.rules))}" if case.expect.rules else ""
        expected = f"no rule{beside} to fire"
        yield Mismatch(what="no_other_rule", expected=expected, actual=_listed(others))


def _is(rule: ExpectedRule, finding: Finding) -> bool:
    return (
        finding.rule is rule.rule
        and rule.slo in {None, finding.slo}
        and rule.verdict in {None, finding.verdict}
    )


def _of_finding(finding: Finding) -> str:
    return str(ExpectedRule(rule=finding.rule, slo=finding.slo, verdict=finding.verdict))


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, ExitCode) else str(value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "none"


def stated_answers(case: StatedCase, policy: Policy, reader: Reader) -> Mapping[str, StatedAnswers]:
    """Return the answers for each SLO except composites.

    An impossible statement is noted at its place, and has no answer.
    """
    answers, windows = {}, burn_windows(policy)
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo):
            continue
        stated = case.slos.get(slo.name, case.others)
        if isinstance(slo, PlatformSlo) and stated.counts is not None and slo.objective is None:
            message = f"{slo.name}: its objective is its platform's; state remaining: 42%"
            reader.note(stated.nodes["total"], message)
            continue
        statement = SloStatement(slo=stand_in(slo), stated=stated, at=case.at, windows=windows)
        try:
            answers[slo.name] = statement.answers()
        except ImpossibleError as error:
            reader.note(error.node, str(error))
    return answers
