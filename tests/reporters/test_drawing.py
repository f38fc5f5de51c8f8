"""Burn-downs in a line of text."""

import pytest

from gate.check.options import Options
from gate.check.run import run_status
from gate.decision.status import Status
from gate.history.burn_down import BurnDown
from gate.reporters import render_page
from gate.reporters.ansi import Style, text_width
from gate.reporters.budget_rows import status_rows
from gate.reporters.decision_page import status_output
from gate.reporters.drawing import column, signs
from gate.reporters.page import Cell
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.telling import DAY, Telling
from tests.reporters.builders import healthy, policy_of
from tests.reporters.reports import MONEY, STORY

LEFT = (1.0, 0.99, 0.875, 0.874, 0.5, 0.1, 0.01, 0.0, -2.5, None)


def shown() -> Status:
    opening = Opening({"chat": Telling(STORY)})
    policy = file("chat", slo("outage"), slo("calm"), slo("nobody"), MONEY)
    return run_status([policy], Options(at=AT), with_burn_downs=True, open_with=opening)


def drawn(burn_down: BurnDown | None) -> Cell:
    budget = healthy()
    (row,) = status_rows(policy_of((budget,)), [budget])
    cell = column({} if burn_down is None else {budget.slo.name: burn_down}).cell(row)
    assert isinstance(cell, Cell)
    return cell


def test_what_was_left_is_rounded_down_and_overspent_and_unknown_have_signs() -> None:
    burn_down = BurnDown(start=AT - 10 * DAY, step=DAY, full=1.0, left=LEFT)

    assert drawn(burn_down) == Cell(text="███▇▅▁▁__·", ascii="9988510--?")


def test_without_a_history_there_is_no_line() -> None:
    assert drawn(None) == Cell(text="", ascii="")


def test_nothing_at_all_may_have_another_sign() -> None:
    assert signs([0.0, 1.0], nothing="▁") == "▁█"


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_status_shows_how_each_budget_came_down(width: int) -> None:
    lines = render_page("terminal", status_output(shown()), Style(width=width)).splitlines()
    table = lines[2 : lines.index("", 4)]
    rows = {line.split()[0]: line for line in table}

    # The outage is in the 14th of 20 steps, the slow hours are in the 19th.
    assert "████████████████████" in rows["calm"]
    # 98.9%, then 93.3% and 85.0% are left: of the scale from 80% up 7, 5 and 1 whole eighths.
    assert "██████████████▆▆▆▆▂▂" in rows["outage"]
    assert "Burn-down (80-100%)" in rows["SLO"]
    assert "█" not in rows["nobody"] + rows["money"]
    assert max(map(text_width, lines)) <= width


def test_without_unicode_the_status_is_ascii() -> None:
    text = render_page("terminal", status_output(shown()), Style(width=100, unicode=False))

    assert text.isascii()
    assert " 99999999999999666622 " in text


def test_the_status_in_markdown_has_them_too() -> None:
    text = render_page("markdown", status_output(shown()), Style())

    assert "| Burn-down (80-100%) |" in text
    assert "| ██████████████▆▆▆▆▂▂ |" in text


def test_where_none_is_known_the_table_has_no_such_column() -> None:
    opening = Opening({"chat": Telling({})})
    found = run_status(
        [file("chat", slo("a"))], Options(at=AT), with_burn_downs=True, open_with=opening
    )

    for name in ("terminal", "markdown"):
        assert "Burn-down" not in render_page(name, status_output(found), Style())
