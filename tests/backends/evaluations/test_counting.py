"""Counts of runs, compared with the numbers of the generator that wrote them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.backends.evaluations.backend import EvaluationsBackend
from gate.backends.evaluations.rounds import coverage
from gate.backends.evaluations.settings import EvaluationsSettings
from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun, Tally
from gate.evaluations.reading import read_file
from gate.measure import Answer, Cause, CountRequest, Counts, Suspicion, Unmeasured
from gate.measure.history import Series, SeriesRequest, on_the_clock
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.evaluations.nights import (
    AT,
    BAD,
    DAY,
    FIRST,
    GOOD,
    Night,
    bad_of,
    moved,
    names,
    night,
    nights,
    write,
)

MONTH = 30 * DAY
HOUR = timedelta(hours=1)
SLI = Sli(metric="faithfulness")


def opened(folder: Path, **given: Any) -> EvaluationsBackend:
    return EvaluationsBackend(
        EvaluationsSettings(path="evals/history/**/*.json", directory=folder, **given)
    )


def measured(
    folder: Path,
    at: datetime = AT,
    *,
    backend: EvaluationsBackend | None = None,
    sli: Sli = SLI,
    window: timedelta = MONTH,
    probe: bool = True,
    **given: Any,
) -> Answer:
    request = CountRequest(sli=sli, span=Span(at - window, at), probe=probe)
    (answer,) = (backend or opened(folder, **given)).measure([request], at)
    return answer


def both(*parts: object) -> tuple[object, ...]:
    """Return what is compared at once: exact numbers with whole ones, among others."""
    return parts


def counted(folder: Path, at: datetime = AT, **given: Any) -> Counts:
    answer = measured(folder, at, **given)
    assert isinstance(answer, Counts), answer
    return answer


def doubts(folder: Path, **given: Any) -> Sequence[Suspicion]:
    return counted(folder, **given).evidence.suspicions


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / "evals" / "history" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def file_of(folder: Path, one: Night, **changes: object) -> Path:
    """Write one night with other fields of its results; None takes one away."""
    document = one.document()
    results = {**document["results"], **changes}
    document["results"] = {key: value for key, value in results.items() if value is not None}
    return put(folder, f"{one.at:%m-%dT%H%M%S}.json", json.dumps(document))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 90 nights of 200 cases each."""
    folder = tmp_path_factory.mktemp("nights")
    write(folder, nights())
    return folder


@pytest.fixture(scope="module")
def of_history(history: Path) -> EvaluationsBackend:
    return opened(history)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(hours=st.integers(31 * 24, 90 * 24))
def test_a_budget_at_any_instant_is_what_one_counts_by_hand(
    history: Path, of_history: EvaluationsBackend, hours: int
) -> None:
    at = FIRST + hours * HOUR
    runs = [one for one in nights() if at - MONTH < one.at <= at]
    counts = counted(history, at, backend=of_history)

    assert counts.total == 200 * len(runs)
    assert counts.bad == sum(one.bad for one in runs)
    assert counts.evidence.newest == max(one.at for one in runs)
    # Once the last run is older than a day the next is missing, hour by hour.
    late = max(at - max(one.at for one in runs) - DAY, timedelta())
    assert counts.evidence.coverage == 1 - Fraction(late // HOUR, 30 * 24)


@pytest.mark.slow
def test_a_window_leaves_its_start_out_and_has_its_end(history: Path) -> None:
    one_day = counted(history, FIRST + 5 * DAY, window=DAY)

    assert both(one_day.total, one_day.bad) == (200, bad_of(5))


def test_errored_and_failed_cases_are_bad(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 5, errors=3)])

    assert counted(tmp_path).bad == 5


def test_runs_of_one_window_add_up(tmp_path: Path) -> None:
    first = night(AT - 3 * HOUR, 4)
    write(tmp_path, [first, moved(first, HOUR)])

    assert both(counted(tmp_path).total, counted(tmp_path).bad) == (400, 8)


def test_a_score_of_the_policy_counts_instead_of_the_tools_verdict(tmp_path: Path) -> None:
    document = night(AT - HOUR, 0).document()
    for place, row in enumerate(document["results"]["results"]):
        row["namedScores"]["faithfulness"] = 0.6 if place < 50 else 0.8
    put(tmp_path, "a.json", json.dumps(document))

    assert counted(tmp_path, sli=replace(SLI, score=Fraction(7, 10))).bad == 50


@pytest.mark.slow
def test_files_are_read_once_however_many_windows_and_slos(history: Path) -> None:
    backend = opened(history)
    slis = [SLI, Sli(metric="all"), replace(SLI, score=Fraction(1, 2))]
    requests = [
        CountRequest(sli=sli, span=Span(AT - days * DAY, AT)) for sli in slis for days in (1, 7, 30)
    ]
    with patch("gate.backends.evaluations.runs.read_file", side_effect=read_file) as read:
        answers = backend.measure(requests, AT)
        answers += backend.measure(requests, AT)

    assert read.call_count == 90
    assert len(answers) == 18


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 4)])
    backend = opened(tmp_path)
    request = CountRequest(sli=SLI, span=Span(AT - DAY, AT))
    (before,) = backend.measure([request], AT)
    write(tmp_path, [night(AT - HOUR, 10), night(AT - 2 * HOUR, 1)])
    (after,) = backend.measure([request], AT)

    assert isinstance(before, Counts)
    assert isinstance(after, Counts)
    assert both(before.bad, after.bad) == (4, 11)


# What does not count


def test_a_run_is_placed_by_the_time_inside_its_file(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 40 * DAY, 100), night(AT - HOUR, 4)])

    assert counted(tmp_path).bad == 4


def test_no_file_says_what_to_correct(tmp_path: Path) -> None:
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA
    assert "no file matches" in answer.reason
    assert "correct the path" in answer.reason


def test_no_run_in_the_window_says_when_the_newest_was(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 40 * DAY, 0)])
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA
    assert f"the newest before is of {AT - 40 * DAY:%Y-%m-%d %H:%M} UTC" in answer.reason


def test_a_run_of_the_future_does_not_count_yet(tmp_path: Path) -> None:
    write(tmp_path, [night(AT + HOUR, 100)])
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert "no run is between" in answer.reason
    assert "newest" not in answer.reason


def test_a_metric_that_no_file_has_is_named_beside_those_that_they_have(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 0)])
    answer = measured(tmp_path, sli=Sli(metric="faithfullness"))

    assert isinstance(answer, Unmeasured)
    assert "did you mean 'faithfulness'?" in answer.reason
    assert "they have faithfulness" in answer.reason


def test_files_of_other_metrics_belong_to_other_slos(tmp_path: Path) -> None:
    other = replace(night(AT - 2 * HOUR, 150), metric="toxicity")
    write(tmp_path, [night(AT - HOUR, 4), other])

    assert both(counted(tmp_path).bad, counted(tmp_path).evidence.suspicions) == (4, ())
    assert counted(tmp_path, sli=Sli(metric="toxicity")).bad == 150


def test_a_run_of_errors_alone_names_no_metric_and_counts_as_suspect(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - DAY, 4), night(AT - HOUR, 200, errors=200)])
    (doubt,) = doubts(tmp_path)

    assert both(doubt.cause, doubt.hidden) == (Cause.UNKNOWN_OUTCOME, 200)


def test_a_file_that_cannot_be_read_makes_every_answer_partial(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 4)])
    put(tmp_path, "cut.json", '{"evalId": ')
    (warning,) = counted(tmp_path, probe=False).evidence.warnings

    assert "1 file cannot be read" in warning
    assert "cut.json: it is not complete JSON" in warning


def test_files_that_cannot_be_read_are_named_where_nothing_else_is_there(tmp_path: Path) -> None:
    for place in range(5):
        put(tmp_path, f"cut-{place}.json", "{")
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert "5 files cannot be read" in answer.reason
    assert "and 2 more" in answer.reason


def test_a_broken_link_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 4)])
    (tmp_path / "evals" / "history" / "gone.json").symlink_to("nowhere")
    (warning,) = counted(tmp_path).evidence.warnings

    assert "gone.json: it cannot be read: No such file or directory" in warning


def test_folders_and_attestations_are_not_a_result_files(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 4)])
    (tmp_path / "evals" / "history" / "old.json").mkdir()
    put(tmp_path, "a.json.attestation.json", "{}")

    assert counted(tmp_path, probe=False).evidence.warnings == ()


# Doubts, and what stays quiet


def test_a_run_without_its_time_is_not_counted_and_its_bad_cases_are_hidden(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - HOUR, 4)])
    document = night(AT - 2 * HOUR, 30).document()
    del document["results"]["timestamp"], document["metadata"], document["evalId"]
    put(tmp_path, "undated.json", json.dumps(document))
    (doubt,) = doubts(tmp_path)

    assert counted(tmp_path).total == 200
    assert both(doubt.cause, doubt.hidden) == (Cause.LOST, 30)
    assert "undated.json" in doubt.reason


def test_where_all_runs_lack_their_time_nothing_is_measured(tmp_path: Path) -> None:
    document = night(AT, 30).document()
    del document["results"]["timestamp"], document["metadata"], document["evalId"]
    put(tmp_path, "undated.json", json.dumps(document))
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert "1 file without the time of the run: evals/history/undated.json" in answer.reason
    assert "have the tool write a format that has the time" in answer.reason


JUNIT = """\
<testsuites><testsuite name="golden" tests="2" failures="1" timestamp="2026-10-29T04:30:00">
<testcase classname="golden" name="a"/>
<testcase classname="golden" name="b"><failure message="wrong">b</failure></testcase>
</testsuite></testsuites>
"""


def test_a_time_without_a_zone_places_a_run_only_with_the_zone_of_the_policy(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a.json", JUNIT)  # recognised by its content
    without = measured(tmp_path, sli=Sli(metric="all"))
    utc = counted(tmp_path, sli=Sli(metric="all"), time_zone=UTC)

    assert isinstance(without, Unmeasured)
    assert "set backend.time_zone" in without.reason
    assert utc.evidence.newest == datetime(2026, 10, 29, 4, 30, tzinfo=UTC)
    assert both(utc.total, utc.bad) == (2, 1)


def test_a_flawed_run_may_hide_as_many_bad_cases_as_a_run_has(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 2 * DAY, 4)])
    flawed = night(AT - DAY, 1, cases=names(43))
    file_of(tmp_path, flawed, version=2)
    (doubt,) = doubts(tmp_path)

    assert counted(tmp_path).total == 200
    assert both(doubt.cause, doubt.hidden) == (Cause.UNKNOWN_OUTCOME, 200)
    assert doubt.within is not None
    assert doubt.within.end == flawed.at
    assert "its version is 2" in doubt.reason


def test_a_whole_run_soon_after_leaves_only_what_was_seen_to_be_bad(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 2 * DAY, 4), night(AT - DAY + HOUR, 4)])
    file_of(tmp_path, night(AT - DAY, 3, cases=names(43)), version=2)
    (doubt,) = doubts(tmp_path)

    assert doubt.hidden == 3


def test_a_run_of_other_cases_soon_after_does_not_replace_one(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 2 * DAY, 4), night(AT - DAY + HOUR, 4)])
    file_of(tmp_path, night(AT - DAY, 3, cases=names(43, first=500)), version=2)
    (doubt,) = doubts(tmp_path)

    assert doubt.hidden == 200


def test_flawed_runs_alone_are_no_data(tmp_path: Path) -> None:
    file_of(tmp_path, night(AT - DAY, 3), version=2)
    file_of(tmp_path, night(AT - HOUR, 0), results=[], stats={"successes": 0})
    answer = measured(tmp_path)

    assert isinstance(answer, Unmeasured)
    assert "2 files that cannot be relied on" in answer.reason


def test_two_flawed_runs_are_one_doubt(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - 3 * DAY, 4)])
    for days in (1, 2):
        file_of(tmp_path, night(AT - days * DAY, 0), version=2)
    (doubt,) = doubts(tmp_path)

    assert doubt.hidden == 400
    assert doubt.reason.startswith("2 runs are not counted")


def test_a_copy_of_a_run_counts_once(tmp_path: Path) -> None:
    one = night(AT - HOUR, 4)
    write(tmp_path, [one])
    put(tmp_path, "copy.json", json.dumps(one.document()))

    assert both(counted(tmp_path).total, counted(tmp_path).bad) == (200, 4)
    assert doubts(tmp_path) == ()


def test_copies_that_disagree_count_as_bad_and_may_be_good(tmp_path: Path) -> None:
    one = night(AT - HOUR, 4)
    write(tmp_path, [one])
    put(tmp_path, "copy.json", json.dumps(night(one.at, 14).document()))
    (doubt,) = doubts(tmp_path)

    assert both(counted(tmp_path).total, counted(tmp_path).bad) == (200, 14)
    assert both(doubt.cause, doubt.doubtful, doubt.hidden) == (Cause.CONTRADICTED, 10, 0)


def test_parts_of_a_run_are_put_together(tmp_path: Path) -> None:
    write(tmp_path, [night(AT - DAY - HOUR, 4)])
    for part in range(4):
        cases = names(50, first=1 + 50 * part)
        document = night(AT - HOUR, 1, cases=cases).document()
        put(tmp_path, f"part-{part}.json", json.dumps(document))

    assert both(counted(tmp_path).total, counted(tmp_path).bad) == (400, 8)
    assert doubts(tmp_path) == ()


def test_a_case_with_more_rows_than_are_declared_is_bad_and_may_be_good(tmp_path: Path) -> None:
    document = night(AT - HOUR, 0).document()
    rows = document["results"]["results"]
    rows += [{**row, "testIdx": 200 + place} for place, row in enumerate(rows[:3])]
    document["results"]["stats"]["successes"] += 3
    put(tmp_path, "a.json", json.dumps(document))
    (doubt,) = doubts(tmp_path)

    assert both(counted(tmp_path).total, counted(tmp_path).bad) == (200, 3)
    assert both(doubt.cause, doubt.doubtful) == (Cause.UNKNOWN_OUTCOME, 3)


def totals(at: datetime, cases: int, passed: int) -> EvaluationRun:
    """Return a run of which the file has only totals."""
    return EvaluationRun(tool="lm-eval", tally=Tally(cases=cases, passed=passed), started_at=at)


def from_runs(folder: Path, *runs: EvaluationRun) -> Counts:
    """Count runs that a reader has found in as many files."""
    for place in range(len(runs)):
        put(folder, f"{place}.json", "{}")
    with patch("gate.backends.evaluations.runs.read_run", side_effect=runs):
        return counted(folder)


def test_of_a_file_with_totals_alone_these_count(tmp_path: Path) -> None:
    counts = from_runs(tmp_path, totals(AT - DAY, 200, 196), totals(AT - HOUR, 200, 190))

    assert both(counts.total, counts.bad, counts.evidence.suspicions) == (400, 14, ())


def test_totals_of_fewer_cases_are_suspected(tmp_path: Path) -> None:
    counts = from_runs(tmp_path, totals(AT - DAY, 200, 196), totals(AT - HOUR, 50, 50))
    (doubt,) = counts.evidence.suspicions

    assert both(doubt.cause, doubt.hidden) == (Cause.LOST, 150)
    assert "left out 150 cases that" in doubt.reason


def test_totals_of_one_run_in_two_files_count_once(tmp_path: Path) -> None:
    counts = from_runs(tmp_path, totals(AT - DAY, 200, 196), totals(AT - DAY, 200, 196))

    assert both(counts.total, counts.bad) == (200, 4)


def test_rows_without_an_id_are_not_a_distinct_cases(tmp_path: Path) -> None:
    row = CaseRow(case_id=None, outcome=CaseOutcome.PASSED)
    nameless = EvaluationRun(tool="odd", rows=(row,) * 30, started_at=AT - HOUR)
    counts = from_runs(tmp_path, totals(AT - DAY, 200, 196), nameless)
    (doubt,) = counts.evidence.suspicions

    assert counts.total == 200
    assert both(doubt.cause, doubt.hidden) == (Cause.UNKNOWN_OUTCOME, 200)
    assert "rows have no id" in doubt.reason


def left_out(folder: Path, *runs: Night, sli: Sli = SLI) -> Fraction | None:
    """Return how many cases are suspected to be left out."""
    write(folder, runs)
    return sum((doubt.hidden or Fraction() for doubt in doubts(folder, sli=sli)), Fraction())


def test_an_easy_subset_is_suspected_with_the_number_of_cases_that_it_lacks(tmp_path: Path) -> None:
    easy = night(AT - HOUR, 0, cases=names(150))

    assert left_out(tmp_path, *(night(AT - days * DAY, 4) for days in range(1, 9)), easy) == 50
    (doubt,) = doubts(tmp_path)
    assert "the run of 2026-10-29 08:00 UTC left out 50 cases (q-151, q-152, q-153, ...)" in (
        doubt.reason
    )


def test_other_cases_do_not_stand_for_those_that_are_left_out(tmp_path: Path) -> None:
    swapped = night(AT - HOUR, 0, cases=[*names(150), *names(50, first=900)])

    assert left_out(tmp_path, night(AT - DAY, 4), swapped) == 50


def test_a_set_that_stays_smaller_is_suspected_until_most_of_a_week_has_it(tmp_path: Path) -> None:
    before = [night(AT - days * DAY, 4) for days in range(12, 20)]
    after = [night(AT - days * DAY, 4, cases=names(190)) for days in range(1, 12)]

    # The ten cases are in more than half of the seven nights before it on the first four only.
    assert left_out(tmp_path, *before, *after) == 40


def test_a_set_that_was_changed_on_purpose_is_not_suspected(tmp_path: Path) -> None:
    before = [night(AT - days * DAY, 4) for days in range(12, 20)]
    after = [night(AT - days * DAY, 4, cases=names(190)) for days in range(1, 12)]
    changed = replace(SLI, cases_since=AT - 11 * DAY - HOUR)

    assert left_out(tmp_path, *before, *after, sli=changed) == 0
    assert left_out(tmp_path, night(AT, 0, cases=names(180)), sli=changed) == 10


def test_cases_that_are_added_are_not_suspected(tmp_path: Path) -> None:
    assert left_out(tmp_path, night(AT - DAY, 4), night(AT - HOUR, 4, cases=names(300))) == 0


def test_failing_cases_that_are_run_once_more_are_not_suspected(tmp_path: Path) -> None:
    again = night(AT - HOUR, 1, cases=names(4))
    whole = night(AT - 2 * HOUR, 4)

    assert left_out(tmp_path, night(AT - DAY, 4), whole, again) == 0
    assert counted(tmp_path).total == 404


def test_of_cases_with_other_ids_every_night_the_numbers_are_compared(tmp_path: Path) -> None:
    runs = [night(AT - days * DAY, 0, cases=names(200, first=1000 * days)) for days in (3, 2)]
    fewer = night(AT - DAY, 0, cases=names(120, first=9000))

    # No case of the first two is in more than half of them, so that their number counts.
    assert left_out(tmp_path, *runs, fewer) == 200 + 80


# Coverage


def stretch(*hours: tuple[float, float]) -> list[Span]:
    return [Span(FIRST + a * HOUR, FIRST + b * HOUR) for a, b in hours]


@pytest.mark.parametrize(
    ("runs", "missing"),
    [
        ([], [(0, 240)]),
        ([*range(0, 240, 24)], []),
        ([10], [(34, 240)]),  # a first run speaks for the day before it, too
        ([34], [(0, 10), (58, 240)]),
        ([-10, *range(14, 240, 24)], []),
        ([*range(0, 96, 24), *range(120, 240, 24)], [(96, 120)]),
        ([*range(0, 216, 12)], [(228, 240)]),  # more often than due
        ([*range(0, 240, 24), 250], []),  # of the future
        ([-500, 220], [(0, 220)]),
    ],
)
def test_a_run_speaks_for_the_time_until_the_next_is_due(
    runs: list[int], missing: list[tuple[float, float]]
) -> None:
    times = [FIRST + hours * HOUR for hours in runs]
    seen = coverage(times, Span(FIRST, FIRST + 240 * HOUR), DAY)

    assert list(seen.missing) == stretch(*missing)
    assert seen.share == 1 - sum((Fraction(b - a) / 240 for a, b in missing), Fraction())


def test_a_missed_night_is_a_hole_and_the_time_before_the_first_run_is_not() -> None:
    times = [FIRST + hours * HOUR for hours in (72, 96, 144, 168, 192, 216, 238)]
    gaps = coverage(times, Span(FIRST, FIRST + 240 * HOUR), DAY).gaps

    assert both(gaps.late, gaps.holes) == (Fraction(48, 240), Fraction(24, 240))
    assert gaps.since == times[0]
    assert gaps.longest == gaps.between == Span(times[1] + DAY, times[2])


def test_of_no_time_at_all_nothing_is_missing() -> None:
    assert coverage([], Span(FIRST, FIRST), DAY).share == 1


# Step by step


def steps(folder: Path, span: Span, step: timedelta) -> Series:
    request = SeriesRequest(sli=SLI, span=on_the_clock(span, step), step=step)
    (series,) = opened(folder).history([request])
    assert isinstance(series, Series)
    return series


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("step", [HOUR, DAY, timedelta(minutes=5)])
def test_the_steps_add_up_to_what_is_counted(history: Path, step: timedelta) -> None:
    span = Span(AT - MONTH, AT)
    series = steps(history, span, step)
    runs = [one for one in nights() if on_the_clock(span, step).start < one.at <= AT]

    assert sum(filter(None, series.total)) == sum(one.total for one in runs)
    assert sum(filter(None, series.bad)) == sum(one.bad for one in runs)
    assert None not in series.total


def test_a_day_without_a_run_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, nights(20, without=[5, 6]))
    midnight = FIRST - 2 * HOUR
    series = steps(tmp_path, Span(midnight, midnight + 20 * DAY), DAY)

    assert [place for place, total in enumerate(series.total) if total is None] == [5, 6]
    assert series.bad[4] == bad_of(4)


def test_a_history_of_no_file_has_no_steps(tmp_path: Path) -> None:
    request = SeriesRequest(sli=SLI, span=Span(AT - DAY, AT), step=HOUR)
    (answer,) = opened(tmp_path).history([request])

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA


def test_the_outcomes_of_the_generator_are_what_it_says() -> None:
    assert [one.bad for one in nights()[70:73]] == [40, 40, 40]
    assert set(night(AT, 2).outcomes.values()) == {GOOD, BAD}
