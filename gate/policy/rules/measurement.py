"""The rule about budgets that are unknown or in doubt."""

from collections.abc import Iterator

from gate.policy.case import Case
from gate.policy.findings import Finding


def findings(case: Case) -> Iterator[Finding]:
    """Yield a finding for every doubt, with the verdict of the policy's ``on``."""
    for assessment in case.assessments:
        for doubt in assessment.doubts:
            yield case.doubted(assessment, doubt)
