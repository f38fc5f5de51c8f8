"""Files in the shapes that Sloth documents for OpenSLO v1alpha."""

from datetime import timedelta
from pathlib import Path

import pytest

from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow
from tests.config.slo_files.writing import assert_refused, imported, only

GOOD = """{source: prometheus, queryType: promql, query: 'sum(rate(g[{{.window}}]))'}"""
TOTAL = """{source: Prometheus, query: 'sum(rate(t[{{.window}}]))'}"""
RATIO = f"{{good: {GOOD}, total: {TOTAL}}}"
DAYS = "[{count: 30, unit: Day}]"


def slo(ratio: str = RATIO, windows: str = DAYS, more: str = "") -> str:
    return f"""\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {{name: chat, displayName: Chat}}
spec:
  service: chat
  description: Requests that do not fail.
  budgetingMethod: Occurrences
  objectives:
    - ratioMetrics: {ratio}
      target: 0.999
{more}  timeWindows: {windows}
"""


def test_an_objective_is_counted_by_the_queries_of_its_own(tmp_path: Path) -> None:
    counted = only(tmp_path, slo())

    assert (counted.name, str(counted.objective)) == ("chat", "999/1000")
    assert counted.window == RollingWindow(timedelta(days=30))
    assert counted.sli == Sli(good="sum(increase(g[$window]))", total="sum(increase(t[$window]))")


def test_several_objectives_are_several_slos(tmp_path: Path) -> None:
    more = f"    - {{displayName: Slow, ratioMetrics: {RATIO}, target: 0.9}}\n"
    service = "---\napiVersion: openslo/v1alpha\nkind: Service\nmetadata: {name: chat}\nspec: {}\n"
    counted = imported(tmp_path, slo(more=more) + service)

    assert [one.name for one in counted] == ["chat/1", "chat/Slow"]


def test_counters_may_stand_without_a_window(tmp_path: Path) -> None:
    bad = "{source: thanos, query: b}"
    ratio = f"{{incremental: true, bad: {bad}, total: {bad.replace('b}', 't}')}}}"

    assert only(tmp_path, slo(ratio)).sli == Sli(bad="b", total="t")


def test_a_file_without_a_window_takes_that_of_the_policy(tmp_path: Path) -> None:
    counted = only(tmp_path, slo(windows="[]"), more=", window: 7d")

    assert counted.window == RollingWindow(timedelta(days=7))


def aligned(count: int, unit: str, start: str = "2022-01-01 12:00:00") -> str:
    calendar = f"{{startTime: {start}, timeZone: America/New_York}}"
    return f"[{{count: {count}, unit: {unit}, isRolling: false, calendar: {calendar}}}]"


@pytest.mark.parametrize(
    ("windows", "written"),
    [
        (aligned(1, "Week"), "calendar week from 2022-01-01 12:00"),
        (aligned(1, "Day"), "calendar day from 2022-01-01 12:00"),
        (aligned(1, "Month", "2021-05-01"), "calendar month"),
        (aligned(3, "Month", "2021-05-01"), "calendar quarter from 2021-05-01 00:00"),
        (aligned(1, "Quarter", "2021-10-01"), "calendar quarter"),
        (aligned(1, "Year", "2021-04-01"), "calendar year from 2021-04-01 00:00"),
    ],
)
def test_a_window_may_follow_the_calendar(tmp_path: Path, windows: str, written: str) -> None:
    counted = only(tmp_path, slo(windows=windows))

    assert str(counted.window) == f"{written} (America/New_York)"


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        (slo(windows="¦[{count: 1, unit: Day}, {count: 7, unit: Day}]"), "exactly one window"),
        (slo(windows="[{count: ¦0, unit: Day}]"), "a length above 0"),
        (slo(windows="[{count: 1, unit: ¦Month}]"), "a Month of a rolling window has no fixed"),
        (slo(windows="[{count: 1, unit: Week, isRolling: ¦false}]"), "isRolling: false with it"),
        (slo(windows=aligned(2, "Week").replace("2", "¦2", 1)), "2w is not a calendar period"),
        (slo(windows=aligned(1, "Month", "2022-01-31").replace("2022", "¦2022")), "has a day 31"),
        (
            slo(windows=aligned(1, "Week").replace("isRolling: false", "isRolling: ¦true")),
            "isRolling: true goes without calendar",
        ),
        (slo(f"¦{{total: {TOTAL}}}"), "either good and total, or bad and total"),
        (slo(RATIO.replace("{source: p", "{source: ¦datadog, metadata: {p", 1)), "'datadog'"),
        (slo(RATIO.replace("rate(g[{{.window}}])", "¦rate(g[5m])")), "is over 5m"),
        (slo().replace("- ratioMetrics", "- ¦displayName: a\n      x-ratioMetrics"), "unknown key"),
    ],
)
def test_what_cannot_be_counted_is_refused_at_its_place(
    tmp_path: Path, marked: str, words: str
) -> None:
    if "metadata: {p" in marked:
        marked = marked.replace("metadata: {prometheus", "metadata: {}")
    if "unknown key" in words:
        marked = marked.replace("¦", "").replace("x-ratio", "¦x-ratio")
    assert_refused(tmp_path, marked, words)


def test_a_threshold_has_no_events_to_count(tmp_path: Path) -> None:
    start = slo().index("- ratioMetrics")
    marked = f"{slo()[:start]}- ¦{{target: 0.9, op: lt, value: 1}}\n  timeWindows: {DAYS}\n"

    assert_refused(tmp_path, marked, "a threshold has no events to count")
