"""docs/number.md: its numbers are those of the formulas, and of the command."""

import re
from fractions import Fraction
from math import floor
from pathlib import Path

from scipy.stats import binomtest

from tests.command import gate

TEXT = (Path(__file__).parent.parent / "docs" / "number.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    table = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def number(cell: str) -> Fraction:
    """Return the first number of a cell; 40% is 2/5."""
    text = re.search(r"-?[\d,]+(?:\.\d+)?%?", cell)
    assert text is not None
    value = Fraction(text[0].replace(",", "").rstrip("%"))
    return value / 100 if text[0].endswith("%") else value


def down(share: Fraction) -> Fraction:
    """Round down to hundredths of a percent."""
    return Fraction(floor(share * 10_000), 10_000)


def test_the_example_is_the_formula() -> None:
    for total, bad, objective, budget, consumed, left in (
        [*map(number, row)] for row in rows("Requests")
    ):
        assert budget == total * (1 - objective)
        assert (consumed, left) == (bad / budget, 1 - bad / budget)


def test_a_burn_rate_is_the_ratio_over_the_budget() -> None:
    for row in rows("Requests in the hour"):
        total, bad, objective, ratio, burn, hours = map(number, row)
        assert ratio == bad / total
        assert burn == ratio / (1 - objective)
        assert hours == 30 * 24 / burn


def test_a_calendar_budget_counts_the_elapsed_share() -> None:
    for row in rows("Requests so far"):
        total, bad, objective, elapsed, consumed, left = map(number, row)
        assert consumed == bad / (total * (1 - objective)) * elapsed / 30
        assert left == 1 - consumed


def test_the_other_kinds_are_their_formulas() -> None:
    said = {row[0]: row[1:] for row in rows("Kind | Numbers")}
    slices = Fraction(43, 8640) / Fraction(1, 100)
    minutes = Fraction(20, 43_200) / Fraction(1, 1000)
    members = 2 * Fraction(20, 100) + Fraction(30, 100)
    expected = {
        "Timeslices": slices,
        "Gauge": minutes,
        "Spend": Fraction(2, 5),
        "Composite": members,
    }

    for kind, consumed in expected.items():
        assert number(said[kind][1]) == down(consumed), kind
        assert number(said[kind][2]) == down(1 - consumed), kind


def test_the_interval_of_the_sample_is_that_of_wilson() -> None:
    (sample,) = (row for row in rows("Kind | Numbers") if row[0] == "Sampled")
    interval = binomtest(4, 500).proportion_ci(confidence_level=0.95, method="wilson")
    ratios = [float(text) / 100 for text in re.findall(r"([\d.]+)% to ([\d.]+)%", sample[1])[0]]
    assert [round(100 * end, 2) for end in (interval.low, interval.high)] == [
        100 * r for r in ratios
    ]
    assert sample[2] == f"{interval.low / 0.02:.2%} to {interval.high / 0.02:.2%}"
    assert sample[3] == f"{1 - interval.high / 0.02:.2%} to {1 - interval.low / 0.02:.2%}"


def test_the_cost_of_a_canary_is_the_formula() -> None:
    (said,) = re.findall(r"costs ([\d.]+)% of a budget", TEXT)
    requests = Fraction(1_000_000, 30 * 24 * 60) * 5 / 10
    assert Fraction(said) / 100 == down(requests / 1000)


def test_the_counts_come_out_as_written(tmp_path: Path) -> None:
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")

    shown = gate("status", "gate.yaml", cwd=tmp_path)
    decided = gate("check", "gate.yaml", "--change", "full-rollout", cwd=tmp_path)

    assert shown.exit_code == 0
    assert "400 of 1,000,000" in shown.stdout
    assert "60.0%" in shown.stdout
    assert decided.exit_code == 0
