"""JUnit XML, as pytest, jest, Surefire, PHPUnit, promptfoo and others write it.

There is no standard. Runners agree on ``testsuite`` elements, possibly nested, with ``testcase``
elements, which have passed unless they have a ``failure``, ``error`` or ``skipped``; and on
attributes with their numbers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from typing import Final
from xml.parsers import expat

from gate.dataclass import dataclass
from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    by_score,
    commits_in,
    earliest,
    identity,
)
from gate.evaluations.values import exact, parse_json

_DEPTH: Final = 100
_ELEMENTS: Final = 1_000_000
_CHILDREN: Final = {
    "error": CaseOutcome.ERRORED,
    "failure": CaseOutcome.FAILED,
    "skipped": CaseOutcome.SKIPPED,
    # Elements of Surefire for a test that passed or failed after other tries had failed.
    "flakyFailure": CaseOutcome.FLAKY,
    "flakyError": CaseOutcome.FLAKY,
    "rerunFailure": CaseOutcome.FLAKY,
    "rerunError": CaseOutcome.FLAKY,
}
"""The outcome of a test case by its child element; the first one that is present counts."""
_OF_CASES: Final = {"testcase", *_CHILDREN}
"""Elements that give the outcome of a test case, or are one."""
_DIGITS: Final = 9
"""The maximum number of digits: a longer number cannot be one of test cases, and Python refuses to
read thousands of digits."""
_NEUTRAL: Final = {"properties", "system-out", "system-err"}
_WORDS: Final = {
    # Values of the attributes `status` and `result`, which GoogleTest, CTest and others write.
    **dict.fromkeys(
        ("notrun", "skipped", "disabled", "suppressed", "ignored"), CaseOutcome.SKIPPED
    ),
    **dict.fromkeys(("fail", "failed", "failure"), CaseOutcome.FAILED),
    **dict.fromkeys(("error", "errored", "broken"), CaseOutcome.ERRORED),
}
_COUNTS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""The attributes of a suite, and the children of test cases that each counts."""


@dataclass(slots=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    children: list["_Element"] = field(default_factory=list)

    def inside(self, *names: str) -> Iterator["_Element"]:
        """Yield the elements of some names at any depth, in the order of the file."""
        stack = self.children[::-1]
        while stack:
            element = stack.pop()
            if element.name in names:
                yield element
            stack += element.children[::-1]


@dataclass(slots=True)
class _Builder:
    """Makes a tree of the parsed elements; texts are left out."""

    root: _Element | None = None
    open_elements: list[_Element] = field(default_factory=list)
    elements: int = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        element = _Element(name.rpartition(":")[2], attributes)
        if self.open_elements:
            self.open_elements[-1].children.append(element)
        else:
            self.root = element
        self.open_elements.append(element)
        self.elements += 1
        if len(self.open_elements) > _DEPTH:
            raise UnreadableResultsError("it is nested too deeply")
        if self.elements > _ELEMENTS:
            raise UnreadableResultsError("it has more elements than results have")

    def end(self, _name: str) -> None:
        self.open_elements.pop()

    def refuse(self, *_rest: object) -> None:
        raise UnreadableResultsError("it has a document type definition, which is not read")


def _parse(content: bytes) -> _Element:
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartDoctypeDeclHandler = builder.refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableResultsError("it is not complete XML") from error
    if builder.root is None or builder.root.name not in {"testsuites", "testsuite"}:
        raise UnreadableResultsError("it is XML, and not a JUnit report")
    return builder.root


def read(content: bytes, query: ResultsQuery) -> EvaluationRun:
    """Return the run in a report. The test cases are the checks, so a metric has no meaning.

    Raises:
        UnreadableResultsError: it is not a complete JUnit report, or has a document type
            definition.
    """
    root, flaws = _parse(content), Flaws()
    rows = tuple(_rows(root, query, flaws))
    suites = [root, *root.inside("testsuite")]
    for suite in suites:
        _check_counts(suite, flaws)
        _check_children(suite, flaws)
    if not rows:
        flaws.add("it has no test cases")
    started_at, zoned = earliest([suite.attributes.get("timestamp") for suite in suites], flaws)
    labels = [_properties(suite) for suite in suites]
    return EvaluationRun(
        tool="junit",
        file_name=query.file_name,
        rows=rows,
        started_at=started_at,
        zoned=zoned,
        commit=agreed_commit([name for each in labels for name in commits_in(each)], flaws),
        flaws=flaws.clauses(),
    )


def _rows(root: _Element, query: ResultsQuery, flaws: Flaws) -> Iterator[CaseRow]:
    is_promptfoo = root.attributes.get("name") == "promptfoo"
    for suite in [root, *root.inside("testsuite")]:
        for case in suite.children:
            if case.name != "testcase":
                continue
            name = case.attributes.get("name") or ""
            group = case.attributes.get("classname") or suite.attributes.get("name") or ""
            if not name:
                # pytest writes this for a test that Ctrl-C has interrupted.
                flaws.add("it has a test case without a name, as interrupted runs have")
                continue
            # promptfoo counts its rows, and names the prompt: both are not part of the case.
            described = re.sub(r"\Atest \d+: (?=.)", "", name) if is_promptfoo else name
            own = described if described != name or not group else f"{group}::{name}"
            case_id = identity(own) or name
            yield _row(case, case_id, query, flaws)


def _row(case: _Element, case_id: str, query: ResultsQuery, flaws: Flaws) -> CaseRow:
    outcome = _outcome(case, case_id, flaws)
    score = _score(case, case_id, query, flaws)
    if query.score is not None and outcome is CaseOutcome.PASSED:
        if score is None:
            flaws.add("the policy asks for a `score`, and test cases have none", case_id)
        outcome = by_score(score, query, flaws, case_id)
    return CaseRow(case_id=case_id, outcome=outcome, score=score)


def _outcome(case: _Element, case_id: str, flaws: Flaws) -> CaseOutcome:
    names = {child.name for child in case.children}
    for name in sorted(names - _CHILDREN.keys() - _NEUTRAL):
        flaws.add(f"a test case has an element <{name}>, which is not of JUnit", case_id)
    for name, outcome in _CHILDREN.items():
        if name in names:
            return outcome
    for key in ("status", "result"):
        outcome = _WORDS.get(case.attributes.get(key, "").lower(), CaseOutcome.PASSED)
        if outcome is not CaseOutcome.PASSED:
            return outcome
    asserted = case.attributes.get("assertions") != "0"  # written by PHPUnit
    return CaseOutcome.PASSED if asserted else CaseOutcome.UNCHECKED


def _properties(element: _Element) -> dict[str, str | None]:
    """Return the properties of a suite or a test case, without those of nested elements."""
    return {
        item.attributes.get("name", ""): item.attributes.get("value")
        for child in element.children
        if child.name == "properties"
        for item in child.children
    }


def _score(case: _Element, case_id: str, query: ResultsQuery, flaws: Flaws) -> Fraction | None:
    """Return the property of a test case with the name of the metric, or ``score``."""
    values: dict[str | None, set[str | None]] = {}
    for item in case.inside("property"):
        values.setdefault(item.attributes.get("name"), set()).add(item.attributes.get("value"))
    texts = (values.get(query.metric) if query.metric else None) or values.get("score") or set()
    if len(texts) > 1:
        flaws.add("a test case has two scores", case_id)
        return None
    try:
        return exact(parse_json(next(iter(texts), None) or ""))
    except UnreadableResultsError:
        return None


def _check_counts(suite: _Element, flaws: Flaws) -> None:
    """Note attributes with numbers of test cases that contradict these.

    Some runners include nested suites in the numbers of a suite, others do not.
    """
    every = list(suite.inside("testcase"))
    own = [case for case in suite.children if case.name == "testcase"]
    for name in ("tests", *_COUNTS):
        declared = suite.attributes.get(name)
        if declared is None:
            continue
        counted = _count(name, every)
        is_number = declared.isdecimal() and len(declared) <= _DIGITS
        if not is_number or int(declared) not in {counted, _count(name, own)}:
            flaws.add(f"a suite says {name}={declared[:20]!r}, and the cases in it are {counted}")


def _count(attribute: str, cases: Sequence[_Element]) -> int:
    """Return how many of the cases an attribute of a suite should count."""
    if attribute == "tests":
        return len(cases)
    child = _COUNTS[attribute]
    return sum(
        child in {each.name for each in case.children}
        or _outcome(case, "", Flaws()) is _CHILDREN[child]
        for case in cases
    )


def _check_children(suite: _Element, flaws: Flaws) -> None:
    """Note outcomes of a suite itself, and test cases outside of suites."""
    for child in suite.children:
        if child.name in _CHILDREN:
            flaws.add(f"a suite itself has a <{child.name}>, such as one of its preparation")
        elif child.name not in {"testsuite", "testcase"} and any(child.inside(*_OF_CASES)):
            flaws.add(f"a suite has test cases in an element <{child.name}>, which is not of JUnit")
