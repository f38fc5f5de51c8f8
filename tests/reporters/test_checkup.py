"""The doctor's report, as a person sees it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.analysis.doctor import Checkup, PolicyCheckup, SloCheckup
from gate.analysis.doctor.words import output
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.reporters import render_page
from gate.reporters.ansi import Style
from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo, RollingWindow
from tests.reporters.builders import policy_of, source

FAULT = CheckResult(
    check=Check.LABELS,
    level=Level.FAULT,
    message="bad: no series has code=\x1b[31m",
    remedy="correct the value",
    examined="count by (code) (x)" * 30,
)


DOUBT = CheckResult(check=Check.GAPS, level=Level.DOUBT, message="a gap", remedy="wait")
FINE = CheckResult(check=Check.METRIC, message="total: 2 series")


def checkup(*results: CheckResult) -> Checkup:
    slo = RatioSlo(
        name="availability",
        window=RollingWindow(timedelta(days=1)),
        sli=Sli(total="x"),
        objective=Fraction(1, 2),
    )
    checked = SloCheckup(slo=slo, results=results, caveats=("it is new",))
    return Checkup(
        policies=(
            PolicyCheckup(
                policy=policy_of(()),
                source=source(),
                kind="prometheus",
                backend=(),
                slos=(checked,),
            ),
        ),
        evaluated_at=datetime(2026, 11, 1, tzinfo=UTC),
        tool_version="1",
    )


def test_foreign_text_cannot_repaint_the_terminal() -> None:
    text = render_page("terminal", output(checkup(FAULT)), Style(width=80))

    assert "\x1b" not in text
    assert r"code=\x1b[31m" in text


def test_a_long_query_is_cut_but_not_in_json() -> None:
    assert FAULT.examined not in render_page("terminal", output(checkup(FAULT)), Style(width=5000))
    assert FAULT.examined in render_page("json", output(checkup(FAULT)), Style())


def test_the_head_counts_what_is_wrong() -> None:
    heads = [
        render_page("terminal", output(checkup(*results)), Style()).splitlines()[0].split("  ")[0]
        for results in ((FINE,), (DOUBT,), (FAULT, FAULT, DOUBT))
    ]
    assert heads == ["✔ SOUND", "▲ 1 DOUBT", "✖ 2 FAULTS, 1 DOUBT"]


def test_the_table_counts_in_the_plural() -> None:
    text = render_page("terminal", output(checkup(FAULT, FAULT, DOUBT)), Style())
    assert "2 faults\n" in text
    assert "1 doubt\n" in text


def test_of_a_silent_backend_nothing_more_is_reported() -> None:
    silent = CheckResult(check=Check.REACH, level=Level.FAULT, message="no answer", remedy="look")
    seen, unseen = checkup(FINE), checkup()
    texts = [
        render_page(
            "terminal",
            output(
                replace(one, policies=(replace(one.policies[0], backend=(silent,)),)),
            ),
            Style(),
        )
        for one in (seen, unseen)
    ]
    assert [("it is new" in text, "Not checked" in text) for text in texts] == [
        (True, True),
        (False, False),
    ]


def test_nothing_is_wider_than_the_terminal() -> None:
    text = render_page("terminal", output(checkup(FAULT, DOUBT, FINE)), Style(width=100))
    assert max(map(len, text.splitlines())) <= 100


def test_where_there_is_only_ascii_the_report_is() -> None:
    text = render_page("terminal", output(checkup(FAULT)), Style(unicode=False))
    assert text.isascii()
    assert text.startswith("x 1 FAULT")


def test_what_is_known_of_a_preset_is_reported_once() -> None:
    one = checkup(FINE).policies[0]
    twice = replace(checkup(), policies=(replace(one, slos=one.slos * 2),))

    assert render_page("terminal", output(twice), Style()).count("it is new") == 1


def test_an_slo_that_was_not_examined_has_no_line() -> None:
    assert "availability" not in render_page("terminal", output(checkup()), Style())
