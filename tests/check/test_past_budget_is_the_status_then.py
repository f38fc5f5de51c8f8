"""Every point of a burn-down equals what the status said, or would have said, at that instant."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends.static import StaticSettings
from gate.check.options import Options
from gate.check.past import budget_histories, burn_down_plans, plan_requests
from gate.check.run import run_status
from gate.config.load import PolicyFile
from gate.decision.decision import PolicySource
from gate.decision.status import status_document
from gate.history.past_budget import trace
from gate.slo.objective import Span
from tests.analysis.memory import TIERS, Opening
from tests.config.texts import policy, sound
from tests.history.minutes import Minutes, random_minutes

START = datetime(2026, 8, 1, tzinfo=UTC)
END = datetime(2026, 11, 20, 14, 37, 11, tzinfo=UTC)
SLI = "sli: {bad: b, total: t}"
WINDOWS = {
    "30d": "30d",
    "7d": "7d",
    "28d": "28d",
    "6h": "6h",
    "90 minutes": "90m",
    "ten minutes": "10m",
    "17 minutes": "17m",
    "month": "{calendar: month}",
    "month in Berlin": "{calendar: month, time_zone: Europe/Berlin}",
    "week in Kathmandu": "{calendar: week, time_zone: Asia/Kathmandu}",
    "quarter": "{calendar: quarter}",
    "day in Lord Howe": "{calendar: day, time_zone: Australia/Lord_Howe}",
}


def read(slos: str) -> PolicyFile:
    return PolicyFile(
        policy=sound(
            policy(head="version: 1\nservice: chat\n", slos=f"slos:\n{slos}", tiers=TIERS)
        ),
        settings=StaticSettings(path=Path("chat")),
        source=PolicySource(path="chat.yaml", sha256="0" * 64, revision=None, modified=False),
        warnings=(),
    )


class Compared:
    """A policy and what happened to it, to look at from any instant."""

    def __init__(self, slos: str, backend: Minutes) -> None:
        self.file, self.opening = read(slos), Opening({"chat": backend})
        self.backend = backend

    def status(self, at: datetime, *, with_burn_downs: bool = False) -> list[dict[str, Any]]:
        found = run_status(
            [self.file], Options(at=at), with_burn_downs=with_burn_downs, open_with=self.opening
        )
        document: Any = status_document(found)
        slos: list[dict[str, Any]] = document["policies"][0]["slos"]
        return slos

    def lines(self, at: datetime, last: timedelta) -> Mapping[str, Any]:
        """Return by SLO the line of the report."""
        (known,) = run_status([self.file], Options(at=at), open_with=self.opening).policies
        plans = burn_down_plans(self.file.policy, at, last=last)
        requests = plan_requests(plans)
        answers = dict(zip(requests, self.backend.history(list(requests.values())), strict=True))
        histories = budget_histories(self.file.policy, plans, answers, known.assessments)
        return {
            slo.name: trace(slo, histories.get(slo.name), Span(at - last, at), None)
            for slo in self.file.policy.slos
        }

    def hold(self, name: str, at: datetime, value: float | None, key: str = "remaining") -> None:
        """Hold one point against the status of its instant."""
        (then,) = [slo for slo in self.status(at) if slo["name"] == name]
        doubts = {doubt["cause"] for doubt in then["doubts"]}
        if value is None:
            assert then[key] is None or "stale" in doubts, (name, at, then)
        else:
            assert value == then[key], (name, at, then)


def slo(name: str, window: str, more: str = "", sli: str = SLI) -> str:
    return f"  - {{name: {name}, objective: 99%, window: {window}, {sli}{more}}}\n"


@pytest.mark.variants(1)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_cell_of_a_status_is_the_status_of_its_instant(window: str, seed: int) -> None:
    compared = Compared(slo("a", window), random_minutes(seed, START, END))

    (told,) = compared.status(END, with_burn_downs=True)
    drawn = told["burn_down"]
    assert drawn is not None
    start, step = datetime.fromisoformat(drawn["start"]), timedelta(seconds=drawn["step_seconds"])
    assert 8 <= len(drawn["left"]) <= 31
    for place, value in enumerate(drawn["left"], start=1):
        compared.hold("a", min(start + place * step, END), value)
    assert start + (len(drawn["left"]) - 1) * step < END <= start + len(drawn["left"]) * step
    assert sum(value is not None for value in drawn["left"]) >= 5


KINDS = {
    "timeslices": slo("a", "7d", ", timeslices: {length: 5m, target: 95%}"),
    "long slices": slo("a", "7d", ", timeslices: {length: 7m, target: 95%}"),
    "events so far": slo("a", "{calendar: month, denominator: to-date}"),
    "spend": "  - {name: a, allowance: 50000 USD, window: 30d, sli: {spent: b}}\n",
    "spend of a month": (
        "  - {name: a, allowance: 50000 USD, window: {calendar: month}, sli: {spent: b}}\n"
    ),
    "sampled": slo("a", "7d", ", sampled: true"),
    "composite": (
        slo("x", "7d")
        + slo("y", "30d", ", timeslices: {length: 10m, target: 95%}")
        + slo("z", "{calendar: month, time_zone: Asia/Kolkata}")
        + "  - {name: a, composite: [{slo: x, weight: 2}, {slo: y}, {slo: z}]}\n"
    ),
}


@pytest.mark.variants(4)
@pytest.mark.parametrize("every", [40, pytest.param(9, marks=pytest.mark.slow)])
@pytest.mark.parametrize("slos", KINDS.values(), ids=KINDS)
def test_each_point_of_a_report_is_the_status_of_its_instant(slos: str, every: int) -> None:
    compared = Compared(slos, random_minutes(7, START, END))

    line = compared.lines(END, timedelta(days=20))["a"]
    assert len(line.left) > 50
    assert line.left[-1][0] == END
    for at, value in (*line.left[::every], line.left[-1]):
        compared.hold("a", at, value)
    for at, value in line.compared[::every]:
        compared.hold("a", at, value, "compared")
    assert bool(line.compared) == ("sampled" in slos)
    days = [day for day in line.stretches if day.span.end != END]
    if "7m" in slos:  # most days do not end with such a slice
        days = [day for day in days if day.left is not None]
    for day in days[::4]:
        compared.hold("a", day.span.end, day.left)


def test_where_the_history_is_short_there_is_no_line() -> None:
    # What a server has forgotten since, the status knew then: no line says that it did not.
    start = END.replace(hour=0, minute=0, second=0) - timedelta(days=33)
    whole = random_minutes(3, start, END)
    calm = Minutes(start, [1 for _ in whole.total], [0 for _ in whole.bad])
    compared = Compared(slo("a", "30d"), calm)

    line = compared.lines(END, timedelta(days=30))["a"].left
    for at, value in line[::20]:
        compared.hold("a", at, value)
    assert {value for _, value in line} == {1.0}
    assert timedelta(days=30) <= line[0][0] - start <= timedelta(days=30, hours=6)
