"""Whatever becomes of a file, it is read or refused, and no case passes that did not."""

import json
from functools import cache
from pathlib import PurePath
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.evaluations import CaseOutcome, EvaluationRun, UnreadableResultsError
from gate.evaluations.cases import case_digest, cases_of
from gate.evaluations.reading import read_run
from tests.evaluations.honest import content

SMALL = {
    "promptfoo/small.json": "faithfulness",
    "inspect/small.json": "match",
    "deepeval/small.latest_test_run.json": "Faithfulness",
    "ragas/small.json": "exact_match",
    "lmeval/small/results_2026-11-28T22-56-56.005655.json": "exact_match,none",
    "evidently/pass.json": "passed",
}
METRICS = {
    "promptfoo/errors.json": "faithfulness",
    "inspect/errors.json": "match",
    "inspect/errors.eval": "match",
    "inspect/half_KILL.eval": "match",
    "deepeval/errors.latest_test_run.json": "Faithfulness",
    "ragas/errors.csv": "exact_match",
    "ragas/errors.json": "exact_match",
    "ragas/errors.scores.json": "exact_match",
    "lmeval/fail/results_2026-11-28T22-56-39.755039.json": "exact_match,none",
    "lmeval/pass/samples_sums_2026-11-28T22-56-06.190442.jsonl": "exact_match,none",
    "evidently/errors.json": "passed",
    "evidently/pass.snapshot.json": "passed",
    "braintrust/pass.jsonl": "faithfulness",
    "junit/errors.xml": "all",
    "promptfoo/errors.junit.xml": "all",
    **SMALL,
}
NAMES = st.sampled_from(sorted(METRICS))
DOCUMENTS = st.sampled_from(sorted(n for n in METRICS if PurePath(n).suffix == ".json"))
ODD_VALUES: list[Any] = [
    *(None, False, "", "x", "\ud800", "1\n2", -1, 0, 0.5, 10**400, float("nan"), float("inf")),
    *([], {}, [[]], {"": None}, [None], {"value": {}}),
]
"""Replacements of a value by a cheater or an accident; none of them is a passing score."""


def read(raw: bytes, name: str) -> EvaluationRun | None:
    """Return what is read in bytes that were once those of a file; None: they are refused."""
    try:
        return read_run(raw, file_name=name, metric=METRICS[name])
    except UnreadableResultsError:
        return None


@cache
def honest(name: str) -> EvaluationRun:
    run = read(content(name), name)
    assert run is not None
    return run


def passes(run: EvaluationRun) -> set[str]:
    cases = cases_of([run])
    case_digest(cases.outcomes)  # every id can be hashed
    return {name for name, outcome in cases.outcomes.items() if outcome is CaseOutcome.PASSED}


def assert_nothing_new_passes(raw: bytes, name: str, *, may_rename: bool = False) -> None:
    run = read(raw, name)
    if run is None or run.flaws or cases_of([run]).doubts:
        return
    before = passes(honest(name))
    # The id of a case may be what has changed.
    assert len(passes(run)) <= len(before)
    assert may_rename or passes(run) <= before
    if run.tally is not None:
        whole = honest(name).tally
        assert whole is not None
        assert run.tally.passed * whole.cases <= whole.passed * run.tally.cases


@given(NAMES, st.data())
def test_a_file_that_is_cut_makes_no_new_pass(name: str, data: st.DataObject) -> None:
    raw = content(name)
    assert_nothing_new_passes(raw[: data.draw(st.integers(0, len(raw)))], name)


@given(NAMES, st.data())
def test_a_file_that_lacks_a_piece_makes_no_new_pass(name: str, data: st.DataObject) -> None:
    lines = content(name).splitlines(keepends=True)
    start = data.draw(st.integers(0, len(lines)))
    end = data.draw(st.integers(start, len(lines)))
    assert_nothing_new_passes(b"".join(lines[:start] + lines[end:]), name)


@pytest.mark.slow
@settings(max_examples=150)
@given(NAMES, st.data())
def test_bytes_that_change_raise_no_other_error(name: str, data: st.DataObject) -> None:
    raw = bytearray(content(name))
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(raw), name)


@given(st.binary() | st.text().map(str.encode))
def test_bytes_of_any_kind_raise_no_other_error(raw: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"<testsuite>", b"[{", b"user_input,m\n"):
        read(start + raw, "promptfoo/small.json")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a document: what is around a value, and its key or index."""
    inside = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    return [(value, key) for key, _ in inside] + [
        place for _, part in inside for place in places(part)
    ]


def damage(document: Any, data: st.DataObject) -> None:
    around, key = data.draw(st.sampled_from(places(document)))
    if data.draw(st.booleans()):
        del around[key]
    else:
        around[key] = data.draw(st.sampled_from(ODD_VALUES))


def kinds(value: Any) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Return one place in a document for each kind of place: the same keys around it."""
    if not isinstance(value, dict | list):
        return {}
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    all_kinds: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for key, part in inside:
        name = key if isinstance(value, dict) else "[]"
        all_kinds.setdefault((name,), (value, key))
        for kind, place in kinds(part).items():
            all_kinds.setdefault((name, *kind), place)
    return all_kinds


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("name", SMALL)
def test_a_value_of_any_kind_may_become_anything(name: str) -> None:
    document = json.loads(content(name))
    for around, key in kinds(document).values():
        value = around[key]
        for odd in ODD_VALUES:
            around[key] = odd
            assert_nothing_new_passes(json.dumps(document).encode(), name, may_rename=True)
        around[key] = value


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.data())
def test_a_value_that_changes_makes_no_new_pass(name: str, data: st.DataObject) -> None:
    document = json.loads(content(name))
    damage(document, data)
    assert_nothing_new_passes(json.dumps(document).encode(), name, may_rename=True)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["junit/errors.xml", "promptfoo/errors.junit.xml"]), st.data())
def test_an_element_that_is_taken_out_makes_no_new_pass(name: str, data: st.DataObject) -> None:
    root = ET.fromstring(content(name))
    parents = [element for element in root.iter() if len(element)]
    parent = data.draw(st.sampled_from(parents))
    parent.remove(data.draw(st.sampled_from(list(parent))))
    assert_nothing_new_passes(ET.tostring(root), name)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_files_that_are_damaged_are_read_as_they_are(name: str) -> None:
    assert honest(name).tool
