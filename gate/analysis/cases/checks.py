"""Checks that the names in a file of cases exist in the policy, and that its facts are possible."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import yaml

from gate.config.cases import (
    CasesFile,
    Expectation,
    Nodes,
    StatedCase,
    StatedChange,
    StatedIncident,
    StatedSignal,
    StatedSlo,
)
from gate.errors import nearest
from gate.history.charts.chart import Chart, ChartResult, NoChart
from gate.measure import Unmeasured
from gate.parsing.nodes import child_at
from gate.parsing.reader import Reader
from gate.policy.case import Past, SloIncidents
from gate.policy.findings import Rule
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, RatioSlo
from gate.wording import exact

_Stretch = tuple[datetime, datetime]
_NEEDS: Final[Mapping[Rule, str]] = {
    Rule.BURN_RATE: "burn_rates",
    Rule.EXHAUSTION: "exhaustion",
    Rule.FREEZE: "freezes",
    Rule.POSTMORTEM: "postmortems",
    Rule.CONTROL_CHART: "control_charts",
}
"""The key of the policy without which a rule never fires."""


def check_names(file: CasesFile, policy: Policy) -> None:
    """Note every name in the cases that the policy lacks, at its place."""
    for case in file.cases:
        for node, message in _mistakes(case, policy):
            file.reader.note(node, message)


def check_past(case: StatedCase, policy: Policy, past: Past, reader: Reader) -> None:
    """Note every incident and signal that the policy's rules do not recognise.

    A test that passes because its incident is not recognised, or is part of another one, proves
    nothing.

    Args:
        case: the case that states them.
        policy: the policy with its rules on the past.
        past: the past for these rules in the case.
        reader: the reader of the file of the case.
    """
    for name, stated in case.slos.items():
        for incident, message in _unseen(case, stated, list(_incidents(past, name)), policy):
            reader.note(incident.nodes[""], f"{name}: {message}")
        stretches = list(_signals(past, name))
        for signal in stated.signals:
            if not any(_overlap(signal, case, stretch) for stretch in stretches):
                why = _no_signal(policy, past, name)
                reader.note(signal.nodes[""], f"{name}: no control chart has this signal: {why}")


def _unseen(
    case: StatedCase, stated: StatedSlo, stretches: Sequence[_Stretch], policy: Policy
) -> Iterator[tuple[StatedIncident, str]]:
    """Yield the incidents of an SLO that are not one each to the policy's rule, and why."""
    lines = dict[_Stretch, int]()
    for incident in stated.incidents:
        own = [stretch for stretch in stretches if _overlap(incident, case, stretch)]
        if not own:
            yield incident, f"no rule sees this incident: {_no_incident(policy)}"
        for stretch in own:
            if stretch in lines:
                above = f"this incident and the one on line {lines[stretch]}"
                yield incident, f"{above} are one, since it was never calm between them; state one"
            lines[stretch] = incident.nodes[""].start_mark.line + 1


def _incidents(past: Past, name: str) -> Iterator[_Stretch]:
    history = past.incidents.get(name)
    if isinstance(history, SloIncidents):
        yield from ((incident.start, incident.end) for incident in history.incidents)


def _signals(past: Past, name: str) -> Iterator[_Stretch]:
    for chart in _charts(past, name):
        if isinstance(chart, Chart):
            yield from ((signal.since, signal.end) for signal in chart.worse)


def _charts(past: Past, name: str) -> Sequence[ChartResult]:
    charts = past.charts.get(name, ())
    return () if isinstance(charts, Unmeasured) else charts


def _overlap(stated: StatedIncident | StatedSignal, case: StatedCase, stretch: _Stretch) -> bool:
    return stated.start < stretch[1] and stretch[0] < (stated.end or case.at)


def _no_incident(policy: Policy) -> str:
    rule = policy.postmortems
    if rule is None:
        return "the policy has no postmortems"
    return (
        "it does not look at this SLO, or not so far back, or the budget never burned at"
        f" {exact(rule.threshold)} in it; state a larger share, or a shorter time"
    )


def _no_signal(policy: Policy, past: Past, name: str) -> str:
    if policy.control_charts is None:
        return "the policy has no control_charts"
    reasons = (chart.reason for chart in _charts(past, name) if isinstance(chart, NoChart))
    return next(reasons, "it must lie in the time that is charted, and after the baseline")


def _mistakes(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    classes, expect = policy.change_classes, case.expect
    if isinstance(case.change, StatedChange):
        yield from _approvals(case, policy)
    else:
        yield from _unknown([case.change], [case.nodes["change"]], classes, "change class")
    yield from _slos(case, policy)
    requirements = {requirement.name for requirement in policy.requirements}
    items = _items(case.nodes, "satisfied")
    yield from _unknown(case.satisfied, items, requirements, "requirement of a tier")
    yield from _records(case, policy)
    yield from _findings(case, policy)
    yield from _expected(expect, policy, requirements)
    yield from _rules(case, policy)


def _approvals(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    change, node = case.change, case.nodes["change"]
    if not policy.matchers:
        yield node, "the policy recognises no class; name it: change: canary"
    elif isinstance(change, StatedChange) and change.approved_by:
        approvers = {who for matcher in policy.matchers.values() for who in matcher.approved_by}
        items = child_at(node, "approved_by").value
        yield from _unknown(change.approved_by, items, approvers, "approver")


def _slos(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    slos = {slo.name: slo for slo in policy.slos}
    for key, _ in _items(case.nodes, "slos"):
        slo = slos.get(key.value)
        if slo is None:
            yield key, f"the policy has no SLO {key.value!r}{nearest(key.value, slos)}"
        elif isinstance(slo, CompositeSlo):
            members = ", ".join(member.slo for member in slo.members)
            yield key, f"{slo.name} is made of others; state those: {members}"


def _expected(
    expect: Expectation, policy: Policy, requirements: Collection[str]
) -> Iterator[tuple[yaml.Node, str]]:
    tiers, slos = [tier.name for tier in policy.tiers], [slo.name for slo in policy.slos]
    nodes, classes = expect.nodes, policy.change_classes
    single: tuple[tuple[str, str | None, Collection[str], str], ...] = (
        ("change", expect.change, classes, "change class"),
        ("tier", expect.tier, tiers, "tier"),
        ("worst_slo", expect.worst_slo, slos, "SLO"),
    )
    for key, value, names, what in single:
        if value is not None:
            yield from _unknown([value], [nodes[key]], names, what)
    lists: tuple[tuple[str, Collection[str], str], ...] = (
        ("allowed_now", classes, "change class"),
        ("obligations", requirements, "requirement of a tier"),
    )
    for key, names, what in lists:
        items = _items(nodes, key)
        if not isinstance(items, str):  # the word all, or none
            yield from _unknown([item.value for item in items], items, names, what)


def _records(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    if case.records and policy.postmortems is None:
        yield case.nodes["records"], "the policy has no postmortems, and reads no records"
    slos = {slo.name for slo in policy.slos}
    for record, node in zip(case.records, _items(case.nodes, "records"), strict=True):
        if policy.service not in record.services:
            hit = ", ".join(record.services)
            yield node, f"it explains nothing: it is of {hit}, and the policy of {policy.service}"
        for name in record.slos:
            if name not in slos:
                yield node, f"the policy has no SLO {name!r}{nearest(name, slos)}"


def _findings(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    slos = [slo.name for slo in policy.slos]
    for finding, item in zip(case.findings, _items(case.nodes, "findings"), strict=True):
        why = _never(finding.rule, policy)
        if why is not None:
            yield item, f"{finding.rule} never fires: {why}"
        yield from _unknown([finding.slo], [child_at(item, "slo")], slos, "SLO")


def _rules(case: StatedCase, policy: Policy) -> Iterator[tuple[yaml.Node, str]]:
    slos, expect = [slo.name for slo in policy.slos], case.expect
    for rule, item in zip(expect.rules, _items(expect.nodes, "rules"), strict=True):
        why = _never(rule.rule, policy)
        if why is not None and not (rule.rule is Rule.FREEZE and case.ci_freeze):
            yield item, f"{rule.rule} never fires: {why}"
        if rule.slo is not None and rule.slo not in slos:
            node = child_at(item, "slo")
            yield node, f"the policy has no SLO {rule.slo!r}{nearest(rule.slo, slos)}"


def _never(rule: Rule, policy: Policy) -> str | None:
    """Say why a rule cannot fire under a policy; None: it can."""
    key = _NEEDS.get(rule)
    if key is not None and not getattr(policy, key):
        return f"the policy has no {key}"
    if rule is Rule.REQUIREMENT and not policy.requirements:
        return "no tier requires anything"
    sampled = any(isinstance(slo, RatioSlo) and slo.sampled for slo in policy.slos)
    return "no SLO is sampled" if rule is Rule.SAMPLES and not sampled else None


def _items(nodes: Nodes, key: str) -> Any:
    """Return the items of a list, or the keys and values of a block; empty if it is missing."""
    return nodes[key].value if key in nodes else ()


def _unknown(
    words: Sequence[str], nodes: Sequence[yaml.Node], names: Collection[str], what: str
) -> Iterator[tuple[yaml.Node, str]]:
    """Yield the words that are not names in the policy."""
    for word, node in zip(words, nodes, strict=True):
        if word not in names:
            yield node, f"the policy has no {what} {word!r}{nearest(word, names)}"
