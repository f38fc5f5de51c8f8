"""Coverage where it can learn something: the other tests run without.

A Python that traces takes two to four times as long, in all that it runs and not only in gate/.
Tests that are marked `real` or `untraced`, those that look for counter-examples by Hypothesis and
all that the list below names reach no branch that others do not reach, so tracing pauses during
them. Where `make test` says that a branch is not covered that one of them reaches, write a short
test of the branch, or take that test from the list.
"""

import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

import gate

MARKERS: Final = ("real", "untraced", "hypothesis")
UNTRACED: Final = (
    "analysis/cases/test_judging.py",
    "analysis/cases/test_past.py",
    "analysis/test_backtest.py::test_all_instants_are_asked_about_in_one_call_and_a_history_each_rule_and_the_incidents",
    "analysis/test_backtest.py::test_at_random_instants_it_says_what_a_check_says",
    "analysis/test_backtest.py::test_no_more_is_held_at_once_than_there_is_room_for",
    "analysis/test_forecast.py",
    "analysis/test_report.py",
    "attacks",
    "backends/logs/test_counting.py",
    "backends/logs/test_csv_files.py",
    "backends/logs/test_exact_numbers.py",
    "backends/logs/test_formats.py",
    "backends/logs/test_json_files.py",
    "backends/logs/test_measure_past.py",
    "backends/logs/test_one_scan.py",
    "backends/logs/test_row_values.py",
    "backends/logs/test_silence.py",
    "backends/logs/test_suspicions.py",
    "backends/logs/test_time_formats.py",
    "backends/logs/test_timestamps.py",
    "backends/prometheus/test_limits.py",
    "backends/test_registry.py",
    "check/test_clockwork.py",
    "check/test_past_budget_is_the_status_then.py",
    "cli/test_burn_down_on_logs.py",
    "cli/test_burned.py",
    "cli/test_period.py",
    "cli/test_records.py",
    "cli/test_sweep.py",
    "cli/test_what_was_not_seen.py",
    "config/test_policy_environment.py",
    "decision/test_reading.py::test_it_judges_every_alteration_as_a_validator_does",
    "doctor/test_peers.py",
    "doctor/test_planted.py",
    "exporters/test_prometheus_rules.py",
    "github_action/test_action_comments.py",
    "github_action/test_venv.py",
    "history/cohorts/test_stratified.py",
    "history/test_before_after.py",
    "hosts/test_span.py",
    "presets/test_names_live.py",
    "promql/test_refusals.py",
    "redaction/test_redaction.py",
    "reporters/test_forecast.py",
    "reporters/test_pages.py",
    "reporters/test_report_html.py",
    "reporters/test_report_markdown.py",
    "reporters/test_review.py",
    "test_architecture.py",
    "test_docs_policy_tests.py",
    "test_policies.py",
    "test_readme.py",
)
"""Rooms, modules and tests, as pytest writes them without ``tests/``."""

_CHILDREN: Final = "COVERAGE_PROCESS_CONFIG"
"""With this variable each Python that a test starts is traced, too."""


def is_listed(item: pytest.Item) -> bool:
    """Tell whether the list has a test, its module or a room of it."""
    path = item.path.relative_to(Path(__file__).parent)
    test = f"{path}::{getattr(item, 'originalname', item.name)}"
    return any(name in UNTRACED for name in (test, str(path), *map(str, path.parents)))


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the list names."""
    for item in items:
        if is_listed(item):
            item.add_marker("untraced")


@contextmanager
def _paused(coverage: Coverage) -> Iterator[None]:
    children = os.environ.pop(_CHILDREN, None)
    coverage.stop()
    try:
        yield
    finally:
        coverage.start()
        if children is not None:
            os.environ[_CHILDREN] = children


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect the tests without tracing, once everything of the gate has been imported with it."""
    coverage = Coverage.current()
    if coverage is None:
        return (yield)
    for module in pkgutil.walk_packages(gate.__path__, "gate."):
        if not module.name.endswith("__main__"):  # importing it would run the command
            import_module(module.name)
    with _paused(coverage):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test without tracing that has nothing to show."""
    coverage = Coverage.current()
    if coverage is None or not any(map(item.get_closest_marker, MARKERS)):
        return (yield)
    with _paused(coverage):
        return (yield)
