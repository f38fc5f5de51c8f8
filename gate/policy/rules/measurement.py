"""The rule about budgets that are not known, or not well enough."""

from collections.abc import Iterator

from gate.policy.case import Case
from gate.policy.findings import Finding


def findings(case: Case) -> Iterator[Finding]:
    """Yield a finding for every doubt, with the verdict that the policy's ``on`` gives it."""
    for assessment in case.assessments:
        for doubt in assessment.doubts:
            yield case.doubted(assessment, doubt)
