"""The results of a policy's test cases: the actual and the expected outcome of each."""

from gate import __version__
from gate.config.cases import StatedCase
from gate.dataclass import dataclass
from gate.decision.decision import SCHEMA_VERSION, Decision, PolicyDecision, PolicySource
from gate.decision.slo_document import Json, rfc3339
from gate.errors import ExitCode
from gate.policy.findings import Finding, Verdict
from gate.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One difference from the expected outcome."""

    what: str
    """The key of the expectation in the case: ``verdict``."""
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case, with the policy's decision."""

    case: StatedCase
    decision: Decision
    """The decision by the policy."""
    mismatches: tuple[Mismatch, ...]
    """The differences; empty: the case passes."""

    @property
    def decided(self) -> PolicyDecision:
        """The verdict of the policy."""
        (decided,) = self.decision.policies
        return decided

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.mismatches

    @property
    def firing(self) -> tuple[Finding, ...]:
        """The findings whose verdict is not allow, the worst first."""
        findings = self.decided.judgement.findings
        return tuple(finding for finding in findings if finding.verdict is not Verdict.ALLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCases:
    """The cases of one policy from one file."""

    policy: Policy
    source: PolicySource
    path: str
    """The path of the file of the cases."""
    results: tuple[CaseResult, ...]
    """At least one, in the order of the file."""

    @property
    def failed(self) -> int:
        """The number of cases that fail."""
        return sum(not result.passed for result in self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesReport:
    """The cases of all policies."""

    policies: tuple[PolicyCases, ...]
    """At least one."""

    @property
    def exit_code(self) -> ExitCode:
        """The code for findings if a case fails."""
        failed = any(tests.failed for tests in self.policies)
        return ExitCode.FINDINGS if failed else ExitCode.ALLOW


def report_document(report: CasesReport) -> Json:
    """Return the outcome of all cases as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool_version": __version__,
        "exit_code": report.exit_code,
        "policies": [
            {
                "service": tests.policy.service,
                "source": {"path": tests.source.path, "sha256": tests.source.sha256},
                "cases_file": tests.path,
                "passed": len(tests.results) - tests.failed,
                "failed": tests.failed,
                "cases": [_case(result) for result in tests.results],
            }
            for tests in report.policies
        ],
    }


def _case(result: CaseResult) -> Json:
    decided = result.decided
    tier = decided.judgement.tier
    return {
        "name": result.case.name,
        "line": result.case.line,
        "passed": result.passed,
        "at": rfc3339(result.case.at),
        "change_class": decided.change_class,
        "verdict": str(decided.verdict),
        "exit_code": int(result.decision.exit_code),
        "tier": None if tier is None else tier.name,
        "mismatches": [
            {"what": each.what, "expected": each.expected, "actual": each.actual}
            for each in result.mismatches
        ],
        "findings": [
            {
                "rule": str(finding.rule),
                "slo": finding.slo,
                "verdict": str(finding.verdict),
                "reason": finding.reason,
            }
            for finding in result.firing
        ],
    }
