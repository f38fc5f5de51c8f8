"""The first lines of analyses, and special cases on their pages and in their tables."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gate.analysis.forecast import Affordable
from gate.analysis.forecast.words import forecast_answer, forecast_blocks
from gate.analysis.incidents.words import output
from gate.analysis.report.words import render_report
from gate.measure import Cause, Unmeasured
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import AT, file, slo
from tests.analysis.remembered import MONTH
from tests.analysis.telling import DAY
from tests.reporters.builders import policy_of, sampled, spend
from tests.reporters.forecasts import told
from tests.reporters.incidents import explained, impact, report, service
from tests.reporters.reports import made


@pytest.mark.slow
def test_a_forecast_begins_with_what_becomes_of_each_budget() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    histories = {
        "gone": [2] * MONTH,
        "fast": [*[0] * (MONTH - 1), 9],
        "once": [*[0] * (MONTH - 6), 300, *[0] * 5],
        "lost": [0] * MONTH,
        "calm": [0] * MONTH,
    }
    (found,) = told(histories, lost={"lost": down}).services

    # 1,440 of the 720 that may fail; 9 in the last hour of the 1 that an hour may have; 300 in six.
    assert forecast_answer(found) == (
        "Already exhausted: gone. Running out at the current rate: fast. May run out: once."
        " Not known: lost. Lasting at recent rates: calm."
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("rate", "back", "sentence"),
    [
        (Fraction(1), {"healthy": Fraction(1, 3)}, "to end within budget, 0.33 to end in healthy"),
        (Fraction(12), {"healthy": None}, "budget; healthy cannot be reached by then"),
        (None, {}, "no more failures until"),
    ],
)
def test_what_may_still_fail_is_one_sentence(
    rate: Fraction | None, back: dict[str, Fraction | None], sentence: str
) -> None:
    (found,) = told({"a": [0] * MONTH}).services[0].slos
    affordable = Affordable(until=AT, at_reset=False, rate=rate, back=back, what="failures")
    _, about = forecast_blocks(replace(found, affordable=affordable))

    assert sentence in dict(about.facts)["Affordable"]


def test_peaks_are_named_by_what_they_are_taken_over() -> None:
    assessments = (sampled(), spend())
    names = [assessment.slo.name for assessment in assessments]
    impacts = (impact(names[0]), impact(names[1]))
    both = service(explained(*impacts), policy=policy_of(assessments))
    only = service(explained(impacts[1]), policy=policy_of(assessments))
    mixed, plain = (
        render_page("terminal", output(report(found)), Style(width=200)) for found in (both, only)
    )

    assert "1,000.00 (samples)" in mixed
    assert "1,000.00 (1h)" in mixed
    assert "Peak burn 1h" in plain


@pytest.mark.slow
def test_all_pictures_of_an_slo_have_the_same_time_axis_grey_where_it_is_not_known() -> None:
    html = render_report("html", made(file("chat", slo("outage")), last=40 * DAY), Style())

    # The history begins with the time looked at: of 40 days the first 30 have no whole window.
    assert html.count(">not known</text>") == 1
    assert html.count(">before the window</text>") == 1
    assert "Grey stretches have no data." in html
