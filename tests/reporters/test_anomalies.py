"""The report on control charts, as a person sees it and as a program reads it."""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.analysis.anomalies import ServiceAnomalies
from gate.analysis.anomalies.words import output, scope_facts
from gate.history.charts.chart import ChartKind, NoChart
from gate.measure import Cause, Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.findings import Verdict
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from gate.reporters.drawing import plot
from gate.slo.indicator import Slices
from tests.reporters.anomalies import (
    AT,
    BETTER,
    CALM,
    HOUR,
    ONCE,
    RECORD,
    SPAN,
    WEEK,
    WORSE,
    chart,
    charted,
    report,
    service,
)
from tests.reporters.builders import policy_of

HOSTILE = "\x1b[2J<b>@acme|`x`"
WIDE = Style(width=130)
NONE = NoChart(kind=ChartKind.MEAN, reason="too few", cause=Cause.LOW_TRAFFIC)
LOST = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it answered 503")


def terminal(*services: ServiceAnomalies, style: Style = WIDE) -> str:
    return render_page("terminal", output(report(*services)), style)


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(one: ServiceAnomalies) -> str:
    return terminal(one).splitlines()[0].split("  ")[0]


def test_the_head_says_what_was_found() -> None:
    assert head(service(charted(chart(WORSE)), charted(chart()))) == "✖ 1 OUT OF CONTROL"
    assert head(service(charted(chart(ONCE)))) == "▲ WAS OUT OF CONTROL"
    assert head(service(charted(chart()))) == "✔ IN CONTROL"
    assert head(service(charted(chart(BETTER)))) == "✔ IN CONTROL"
    assert head(service(charted(chart()), charted(NONE))) == "? NONE SEEN, 1 NOT CHARTED"
    assert head(service(charted(chart()), charted(lost=LOST))) == "? NONE SEEN, 1 NOT CHARTED"
    little = Reservation(cause=Cause.LOW_COVERAGE, reason="8d of 14d", verdict=Verdict.WARN)
    less = replace(little, verdict=Verdict.UNDECIDED)
    partly = charted(chart(), reservations=(little,))
    assert head(service(partly)) == "▲ IN CONTROL AS FAR AS MEASURED"
    hardly = charted(chart(), reservations=(little, less))
    assert head(service(partly, hardly)) == "? 1 OF 2 NOT MEASURED WELL ENOUGH"
    both = service(charted(chart(WORSE)), hardly)
    assert head(both) == "✖ 1 OUT OF CONTROL, 1 OF 2 NOT MEASURED WELL ENOUGH"
    assert "In doubt availability: low coverage: 8d of 14d" in joined(terminal(service(partly)))
    assert head(service(charted(lost=LOST))) == "? NOT CHARTED"
    assert head(service()) == "? NOT CHARTED"


def test_each_chart_is_a_row_with_what_is_usual_and_its_limit() -> None:
    lines = terminal(service(charted(chart(), chart(kind=ChartKind.MEAN)))).splitlines()[2:]

    # 12 of 1,000 usually; the limit of a p chart by hand: 12 + 3 x 3.443 + 1.301.
    assert lines[2].split() == ["SLO", "Indicator", "Newest", "Usual", "Limit", "State"]
    assert lines[4].split() == [
        *("availability", "error", "ratio", "1%", "1.2%", "2.38%", "in", "control")
    ]
    assert lines[5].split()[:6] == ["availability", "mean", "0.01", "s", "0.012", "s"]


def test_what_is_out_of_control_comes_first_then_what_was() -> None:
    one = service(
        charted(chart(), name="a"), charted(chart(ONCE), name="b"), charted(chart(WORSE), name="c")
    )
    rows = terminal(one).splitlines()[6:9]

    assert [row.split()[0] for row in rows] == ["c", "b", "a"]
    assert "worse for about 5h" in rows[0]
    assert "in control since 2026-10-30 07:00" in rows[1]
    assert "better than usual" in terminal(service(charted(chart(BETTER))))


def test_a_state_that_is_bad_is_red() -> None:
    colour = replace(WIDE, color=True)

    assert "\x1b[91mworse for" in terminal(service(charted(chart(WORSE))), style=colour)
    assert "\x1b[91m" not in terminal(service(charted(chart())), style=colour)


def test_a_signal_is_reported_with_since_when_how_far_and_by_which_rule() -> None:
    text = joined(terminal(service(charted(chart(WORSE, records=(RECORD,))))))
    better = joined(terminal(service(charted(chart(BETTER)))))

    assert (
        "Worse availability, error ratio: since about 2026-10-31 19:00 UTC, still going on; up to"
        " 10% (limit 2.38%, usually 1.2%); Western Electric 1, EWMA; explained by INC-42" in text
    )
    assert (
        "Better availability, error ratio: since about 2026-10-31 04:00 UTC, still going on; down"
        in better
    )
    assert "to 0.1% (limit 0.288%, usually 1.2%) " in better
    assert "until about 2026-10-30 07:00; up to 10%" in joined(
        terminal(service(charted(chart(ONCE))))
    )


def test_of_many_signals_the_newest_are_reported_and_the_rest_counted() -> None:
    often = list(CALM)
    for hour in range(WEEK + 5, 2 * WEEK - 20, 24):
        often[hour] = 60.0

    text = joined(terminal(service(charted(chart(often)))))

    assert text.count("since about") == 5
    assert "availability, error ratio: 1 more before, all listed in the JSON report" in text


def test_what_the_charts_were_compared_with_is_reported() -> None:
    spoilt = [*CALM[:10], *[90.0] * 3, *CALM[13:]]
    stretch = [(SPAN.start + 10 * HOUR, SPAN.start + 13 * HOUR)]
    rhythm = [20 + 10 * (hour % 24 < 12) + hour % 5 for hour in range(2 * WEEK)]
    drift = [20 + (hour // 40) % 2 * 10 for hour in range(2 * WEEK)]

    assert "Usual availability, error ratio: 1.2% over 168 points of 1h Policy" in joined(
        terminal(service(charted(chart())))
    )
    left_out = joined(terminal(service(charted(chart(spoilt, incidents=stretch)))))
    assert "1.2% over 165 points of 1h; 3 in incidents excluded" in left_out
    in_it = joined(terminal(service(charted(chart(spoilt)))))
    assert "3 beyond its own limits: if that was an incident, add its record" in in_it
    assert "separately for each time of day" in terminal(service(charted(chart(rhythm))))
    assert "neighbouring points correlate (0.9" in terminal(service(charted(chart(drift))))


def test_what_is_not_known_is_reported() -> None:
    text = joined(
        terminal(
            service(
                charted(chart(), NONE, name="a", unknown=Fraction(1, 3), notes=("by a rule",)),
                charted(NONE, name="b", unknown=Fraction(1, 2)),
                charted(name="c", unknown=Fraction(1), lost=LOST),
                left_out=(("spend", "it spends"),),
            )
        )
    )

    assert "Not charted a, mean: too few" in text
    assert "Not measured c: backend error: it answered 503" in text
    assert (
        "Unknown a: 33.4% of the time has no data; the newest point ends at 2026-11-01 00:00 UTC"
        in text
    )
    assert "UTC b: 50.0% of the time has no data Note" in text
    assert "Note a: by a rule" in text
    assert "Left out spend: it spends" in text
    assert "2026-10-18 00:00 to 2026-11-01 00:00 UTC, in steps of 1h" in text
    assert "up to 2026-10-25 00:00 UTC, without incidents; rules: EWMA and limits" in text


def test_a_picture_shows_the_points_the_usual_and_the_limit() -> None:
    lines = plot(chart(WORSE), 60)

    assert len(lines) == 8
    assert lines[-1].strip() == "┄ limit  ─ usual  ✖ out of control"
    assert max(map(len, lines)) <= 60
    # Five of 336 points, six of which share a column of the worst: the last one.
    assert [line for line in lines if line.endswith("✖")] == [lines[0]]
    assert "•" in "".join(lines[4:])
    assert lines[-2].startswith("   1% ┤")


def test_an_outage_does_not_flatten_all_else() -> None:
    lines = plot(chart([*CALM[:-5], 999.0, *CALM[-4:]]), 80)

    # Usually 1.2%; the limit is 1.16% away, and 3 times that is the top.
    assert lines[0].startswith("4.76% ┤")
    assert "✖" in lines[0]
    calm = plot(chart(CALM), 80)
    assert calm[0].startswith("2.38% ┤┄┄")


def test_where_there_is_only_ascii_the_report_is() -> None:
    one = service(charted(chart(WORSE), NONE))

    assert terminal(one, style=Style(unicode=False)).isascii()
    assert "x out of control" in terminal(one, style=Style(unicode=False))


def test_a_narrow_terminal_loses_columns_and_no_line_is_too_wide() -> None:
    one = service(charted(chart(WORSE), name="time-to-first-token"))

    text = terminal(one, style=Style(width=60))

    assert max(map(len, text.splitlines())) <= 60
    assert "worse for" in text


@pytest.mark.parametrize("name", PAGES)
def test_foreign_text_cannot_break_out(name: str) -> None:
    record = replace(RECORD, id=HOSTILE)
    none = replace(NONE, reason=HOSTILE)
    one = service(
        charted(chart(WORSE, records=(record,)), none, name=HOSTILE, notes=(HOSTILE,)),
        left_out=((HOSTILE, HOSTILE),),
        policy=policy_of((), service=HOSTILE),
    )

    text = render_page(name, output(report(one)), WIDE)

    assert "\x1b" not in text
    if name == "markdown":
        assert "<b>" not in text
        assert "@acme" not in text


def test_markdown_has_a_table_and_a_picture_of_what_was_out_of_control() -> None:
    text = render_page("markdown", output(report(service(charted(chart(WORSE), chart())))), WIDE)

    assert text.startswith(
        "## ⛔ 1 OUT OF CONTROL: chat\n\nOut of control now: availability, error ratio.\n\n"
        "| SLO | Indicator | Newest |"
    )
    assert text.count("```") == 2
    assert "- **Worse:** availability, error ratio: since about" in text
    assert "- **Usual:**\n  - availability, error ratio: 1.2% over" in text
    nothing = render_page("markdown", output(report(service())), WIDE)
    assert "|" not in nothing
    assert "Usual" not in nothing


def document(*services: ServiceAnomalies) -> Any:
    return json.loads(render_page("json", output(report(*services)), WIDE))


def test_json_has_every_point_and_signal() -> None:
    stretch = [(SPAN.start, SPAN.start + 2 * HOUR)]
    drawn = chart(WORSE, records=(RECORD,), incidents=stretch)
    found = document(service(charted(drawn, NONE), left_out=(("spend", "it spends"),)))
    (told,) = found["services"]
    (slo,) = told["slos"]
    ratio, mean = slo["charts"]

    assert (found["exit_code"], found["step_seconds"], found["rules"]) == (0, 3600, "limits")
    assert found["baseline_seconds"] == WEEK * 3600
    assert told["left_out"] == [{"slo": "spend", "reason": "it spends"}]
    assert mean == {"kind": "mean", "not_drawn": {"cause": "low_traffic", "reason": "too few"}}
    assert ratio["baseline"] == {
        "points": WEEK - 2,
        "in_incidents": 2,
        "beyond_limits": 0,
        "mostly_incidents": False,
    }
    assert len(ratio["points"]) == 2 * WEEK
    uses = [one["used_as"] for one in ratio["points"]]
    assert (uses.count("baseline"), uses.count("incident"), uses.count("watched")) == (
        WEEK - 2,
        2,
        WEEK,
    )
    (signal,) = ratio["signals"]
    assert (signal["since"], signal["end"]) == ("2026-10-31T19:00:00Z", None)
    assert (signal["detected_at"], signal["records"]) == ("2026-10-31T20:00:00Z", ["INC-42"])
    assert signal["peak"]["value"] == 0.1
    newest = ratio["points"][-1]
    assert newest["rules"] == ["Western Electric 1", "EWMA"]
    assert newest["ewma"]["average"] > newest["ewma"]["limit"] > 0
    assert newest["lower_limit"] == pytest.approx(
        0.00297, abs=0.0001
    )  # 12 - 3 x 3.443 + 1.301 of 1,000
    assert ratio["points"][0]["ewma"] is None


def test_json_of_what_is_over_has_its_end_and_of_what_was_lost_why() -> None:
    found = document(service(charted(chart(ONCE, kind=ChartKind.MEAN)), charted(lost=LOST)))
    once, lost = found["services"][0]["slos"]

    assert once["charts"][0]["signals"][0]["end"] == "2026-10-30T07:00:00Z"
    assert once["unit"] == "s"
    assert lost["unmeasured"] == {"cause": "backend_error", "reason": "it answered 503"}
    assert (once["unmeasured"], lost["charts"]) == (None, [])
    assert found["exit_code"] == 3
    assert found["to"] == AT.isoformat().replace("+00:00", "Z")


def test_a_baseline_that_is_mostly_in_incidents_is_reported_to_be_what_is_usual() -> None:
    chronic = replace(chart(CALM), chronic=True)

    text = joined(terminal(service(charted(chronic))))

    assert "most points are in incidents, so none is excluded" in text
    assert (
        "19 of 100 simulated weeks of hourly points in control had one on a chart (29 where" in text
    )


@pytest.mark.parametrize(
    ("sliced", "shown"),
    [
        ((), ["19 of 100 simulated weeks of hourly points in control had one on a chart (29"]),
        ((True,), ["9 of 100 simulated weeks of hourly points in control had one on a chart of"]),
        ((False, True), ["19 of 100 simulated weeks", "9 of 100 simulated weeks"]),
    ],
)
def test_false_alarms_are_said_of_what_is_charted(
    sliced: tuple[bool, ...], shown: list[str]
) -> None:
    slices = Slices(length=timedelta(minutes=5), target=Fraction(9, 10))
    slos = [charted(chart(CALM)) for _ in sliced]
    slos = [
        replace(each, slo=replace(each.slo, slices=slices if cut else None))
        for each, cut in zip(slos, sliced, strict=True)
    ]

    told = [text for label, text in scope_facts(report(service(*slos))) if label == "False alarms"]

    assert [text.startswith(words) for text, words in zip(told, shown, strict=True)] == [
        True for _ in shown
    ]
