"""Any field of an answer with any other value: no such answer is better than what happened."""

import copy
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from gate.backends.datadog.catalog import read_definition
from gate.backends.datadog.counting import HistoryReading, counted
from gate.backends.datadog.history import read_history
from gate.backends.datadog.values import EpochWindow
from gate.measure import Counts, Evidence, Granted, MeasurementError, Share
from tests.backends.datadog.organization import DAY, END, availability, uptime
from tests.servers.datadog import Body, FakeSlo

WINDOW = EpochWindow(END - 30 * DAY, END)
OTHERS: list[Any] = [None, "x", [], {}, True, -1, 0, 1, float("nan"), 1e300, 10**30, [None], 0.5]
Path = tuple[Any, ...]


def paths(value: Any, before: Path = ()) -> Iterator[Path]:
    """Yield where every field is; of a list only the first two and the last."""
    yield before
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*before, key))
    elif isinstance(value, list):
        for place in {*range(min(len(value), 2)), *range(max(len(value) - 1, 0), len(value))}:
            yield from paths(value[place], (*before, place))


def changed(body: Body) -> Iterator[tuple[Path, Any, Body]]:
    """Yield the body with each field changed to each other value, one at a time."""
    for path in list(paths(body))[1:]:
        for other in OTHERS:
            whole = copy.deepcopy(body)
            part: Any = whole
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = other
            yield path, other, whole


@pytest.mark.parametrize(
    ("slo", "granted", "truth"),
    [
        (availability(), Granted.EVENTS, Fraction(180, 720_000)),
        (uptime(), Granted.SECONDS, Fraction(36 * 60, 30 * DAY)),
    ],
)
def test_no_change_of_a_field_makes_a_history_better_without_a_doubt(
    slo: FakeSlo, granted: Granted, truth: Fraction
) -> None:
    body = {"data": slo.history(WINDOW.start, WINDOW.end, corrected=True), "errors": None}
    measured = 0
    for path, other, whole in changed(body):
        try:
            history = read_history(whole, WINDOW, granted, None)
            tally = history.past.since(WINDOW.start) if history.past else None
            reading = HistoryReading(history=history, tally=tally, direct=True)
            evidence = Evidence(query="", warnings=history.warnings)
            answer = counted(reading, evidence, corrected=())
        except MeasurementError:
            continue
        measured += 1
        assert isinstance(answer, Counts | Share)
        share = answer.bad / answer.total if isinstance(answer, Counts) else answer.bad
        doubt = answer.evidence.warnings or answer.evidence.suspicions
        assert share >= truth or doubt, (path, other, float(share))
    assert measured


def test_no_change_of_a_field_of_a_definition_is_more_than_a_refusal() -> None:
    for _path, _other, whole in changed(availability().definition()):
        try:
            definition = read_definition(whole)
        except MeasurementError:
            continue
        assert all(0 < promise.objective < 1 for promise in definition.promises)
