"""JUnit XML of cases: a suite for each policy, a test case for each of its cases.

It is like `gate.reporters.junit`, with the file and the line of each case:
https://docs.gitlab.com/ci/testing/unit_test_reports/
"""

from xml.etree import ElementTree as ET

from gate.analysis.cases import CaseResult, CasesReport, PolicyCases
from gate.analysis.cases.words import outcome, reasons
from gate.reporters.escape import plain


def render(report: CasesReport) -> str:
    """Return the report on all cases."""
    root = ET.Element("testsuites", name="gate")
    for tests in report.policies:
        root.append(_suite(tests))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(tests: PolicyCases) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=plain(tests.source.path),
        tests=str(len(tests.results)),
        failures=str(tests.failed),
        errors="0",
        skipped="0",
        time="0",
        file=plain(tests.path),
    )
    for result in tests.results:
        suite.append(_case(result, tests))
    return suite


def _case(result: CaseResult, tests: PolicyCases) -> ET.Element:
    service, place = plain(tests.policy.service), f"{plain(tests.path)}:{result.case.line}"
    case = ET.Element(
        "testcase",
        name=plain(result.case.name),
        classname=f"gate.{service}",
        time="0",
    )
    if result.passed:
        ET.SubElement(case, "system-out").text = plain(outcome(result))
        return case
    wrong = [
        f"{mismatch.what}: expected {mismatch.expected}, but it is {mismatch.actual}"
        for mismatch in result.mismatches
    ]
    failure = ET.SubElement(case, "failure", message=plain("; ".join(wrong)), type="mismatch")
    lines = [f"{place}: {plain(outcome(result))}", *map(plain, [*wrong, *reasons(result)])]
    failure.text = "\n".join(lines)
    return case
