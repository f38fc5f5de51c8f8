"""The ``slos`` of a policy: objectives, windows, indicators and what goes together."""

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, Denominator, RatioSlo, RollingWindow
from tests.config.texts import assert_mistake, only_ratio, policy, read, slo

OBJECTIVE = "objective: 99.9%"
WINDOW = "window: 30d"
SLI = "sli: {bad: a, total: b}"
KINDS = (
    "the key 'objective' is missing; add objective: 99.9% (or an allowance: 50000 USD, or"
    " composite: [{slo: ...}])"
)


@pytest.mark.parametrize("text", ["99.9%", "0.999", ".999", "99.9 %", '"99.9%"', "99.900%"])
def test_an_objective_is_a_percentage_or_a_ratio_and_exact(text: str) -> None:
    one = only_ratio(f"objective: {text}", WINDOW, SLI)

    assert one.objective == Fraction(999, 1000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("99.9", "a bare 99.9 is ambiguous; write 99.9% or a share from 0 to 1"),
        ("100%", "100% leaves no budget to spend; write less, for example 99.9%"),
        ("1", "1 leaves no budget to spend; write less, for example 99.9%"),
        ("0", "0 is not above 0% and below 100%; write for example 99.9%"),
        ("0%", "0% is not above 0% and below 100%; write for example 99.9%"),
        ("-1%", "-1% is not above 0% and below 100%; write for example 99.9%"),
        ("100.1%", "100.1% is not above 0% and below 100%; write for example 99.9%"),
        ("99,9%", "'99,9%' is not a valid percentage or share; write a point and no comma: 99.9%"),
        (
            "three nines",
            "'three nines' is not a valid percentage or share; write for example 99.9% or 0.999",
        ),
        (".nan", "'.nan' is not a valid percentage or share; write for example 99.9% or 0.999"),
        ("999e-3", "'999e-3' is not a valid percentage or share; write for example 99.9% or 0.999"),
    ],
)
def test_an_objective_that_is_none_says_why(text: str, message: str) -> None:
    assert_mistake(policy(slos=slo(f"objective: ¦{text}", WINDOW, SLI)), message)


@pytest.mark.parametrize("sla", ["99.9%", "99.95%", "0.999"])
def test_an_sla_must_be_laxer_than_the_objective(sla: str) -> None:
    assert_mistake(
        policy(slos=slo(OBJECTIVE, f"sla: ¦{sla}", WINDOW, SLI)),
        "the sla must be lower than the objective",
    )


def test_a_laxer_sla_is_read() -> None:
    one = only_ratio(OBJECTIVE, "sla: 99.5%", WINDOW, SLI)

    assert one.sla == Fraction(995, 1000)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30d", timedelta(days=30)),
        ("4w", timedelta(days=28)),
        ("1h30m", timedelta(minutes=90)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_rolling_window_is_a_duration(text: str, length: timedelta) -> None:
    assert only_ratio(OBJECTIVE, f"window: {text}", SLI) == RatioSlo(
        name="availability",
        window=RollingWindow(length),
        sli=Sli(bad="a", total="b"),
        objective=Fraction(999, 1000),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", "'30' is not a valid duration; add a unit, for example 30d, 30h, 30m or 30s"),
        ("30 d", "'30 d' is not a valid duration; write 30d"),
        (
            "1M",
            (
                "'1M' is not a valid duration; write 1m for minutes, or 30d for months, or"
                " {calendar: month} for a calendar period"
            ),
        ),
        ("-30d", "'-30d' is not a valid duration; write for example 30d, 6h, 5m, 1h30m or 250ms"),
        ("0d", "'0d' is zero; a duration must be longer"),
        ("36526d", "'36526d' is longer than 36525d"),
        ("9999999999999w", "'9999999999999w' is longer than 36525d"),
    ],
)
def test_a_window_that_is_not_a_duration_says_so(text: str, message: str) -> None:
    assert_mistake(policy(slos=slo(OBJECTIVE, f"window: ¦{text}", SLI)), message)


def test_a_window_that_hardly_any_backend_keeps_draws_a_warning() -> None:
    _, (mistake,) = read(policy(slos=slo(OBJECTIVE, "window: 400d", SLI)))

    assert mistake == (
        "gate.yaml:5:5: warning: availability: hardly any backend keeps 400d of data (Prometheus"
        " keeps 15d by default), so that most of it is not covered; windows are usually 28d or 30d"
    )


def test_a_calendar_window_has_a_period_a_zone_and_a_denominator() -> None:
    window = "window: {calendar: quarter, time_zone: Asia/Kolkata, denominator: to-date}"
    one = only_ratio(OBJECTIVE, window, SLI)

    assert one.window == CalendarWindow(Period.QUARTER, ZoneInfo("Asia/Kolkata"))
    assert one.denominator is Denominator.TO_DATE


@pytest.mark.parametrize(
    ("begins", "day", "hour"),
    [("2026-01-03T12:00", 3, 12), ("2026-01-03 12:00:00", 3, 12), ("2026-01-10", 10, 0)],
)
def test_a_calendar_window_may_begin_elsewhere(begins: str, day: int, hour: int) -> None:
    window = f"window: {{calendar: week, begins: {begins}, time_zone: Asia/Kolkata}}"
    start = datetime(2026, 1, day, hour)  # noqa: DTZ001 - the zone is beside it

    assert only_ratio(OBJECTIVE, window, SLI).window == CalendarWindow(
        Period.WEEK, ZoneInfo("Asia/Kolkata"), start
    )


@pytest.mark.parametrize(
    ("window", "message"),
    [
        *(
            (
                f"{{calendar: week, begins: ¦{text}}}",
                f"{text!r} is not a valid local time; write for example 2026-01-03T12:00:00",
            )
            for text in ("Saturday", "2026-01-03T12:00Z", "1066-10-14", "2026-W01", "2026-02-30")
        ),
        (
            "{calendar: month, begins: ¦2026-01-31}",
            "not every month has a day 31 to begin on; write day 28 or earlier",
        ),
        (
            "{calendar: ¦fortnight}",
            "'fortnight' is not a valid value; write day, month, quarter, week or year",
        ),
        ("{calendar: ¦monht}", "'monht' is not a valid value; did you mean 'month'?"),
        (
            "{calendar: month, denominator: ¦to_date}",
            "'to_date' is not a valid value; did you mean 'to-date'?",
        ),
        *(
            (
                f"{{calendar: month, time_zone: ¦{zone}}}",
                f"{zone!r} is not a valid time zone; write for example UTC or Europe/Berlin",
            )
            for zone in ("Europe/Berln", "Europe", "../../etc/passwd", "/etc/localtime", "UTC+1")
        ),
    ],
)
def test_a_calendar_window_that_is_none_says_so(window: str, message: str) -> None:
    assert_mistake(policy(slos=slo(OBJECTIVE, f"window: {window}", SLI)), message)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("¦name: x", WINDOW), KINDS),
        (
            ("name: x", OBJECTIVE, "allowance: ¦5 USD", WINDOW, SLI),
            "'objective' and 'allowance' do not go together; an SLO has one of the two",
        ),
        (
            ("¦name: x", OBJECTIVE, SLI),
            "the key 'window' is missing; add window: 30d, or window: {calendar: month}",
        ),
        (
            ("name: x", "allowance: 5 USD", WINDOW, "sli: {spent: a}", "sla: ¦90%"),
            "'sla' does not go with 'allowance'; remove one of the two",
        ),
        (
            ("name: x", "allowance: 5 USD", WINDOW, "sli: {spent: a}", "sampled: ¦true"),
            "'sampled' does not go with 'allowance'; remove one of the two",
        ),
        (
            (
                "name: x",
                "allowance: 5 USD",
                "window: ¦{calendar: month, denominator: to-date}",
                "sli: {spent: a}",
            ),
            "'denominator: to-date' does not go with 'allowance'; remove it",
        ),
        (
            (
                "name: x",
                "objective: 99%",
                "window: ¦{calendar: month, denominator: to-date}",
                "sli: {bad: a, total: b}",
                "timeslices: {length: 5m, target: 95%}",
            ),
            "'denominator: to-date' does not go with timeslices; remove it",
        ),
        (
            ("name: x", "composite: [{slo: y}]", "window: ¦30d"),
            "'window' does not go with 'composite'; remove one of the two",
        ),
        (
            ("name: x", "composite: [{slo: y}]", "sli: ¦{bad: a}"),
            "'sli' does not go with 'composite'; remove one of the two",
        ),
        (
            ("name: x", "allowance: 5 USD", WINDOW, f"¦{SLI}".replace("¦sli: ", "sli: ¦")),
            (
                "an allowance needs an indicator of what is spent: {spent: ...}; for events"
                " write objective: 99.9%"
            ),
        ),
        (
            ("name: x", OBJECTIVE, WINDOW, "sli: ¦{spent: a}"),
            "'spent' needs an allowance instead of an objective",
        ),
    ],
)
def test_what_does_not_go_together_in_an_slo_is_reported(
    keys: tuple[str, ...], message: str
) -> None:
    text = "slos:\n  - " + "\n    ".join(keys) + "\n"

    assert_mistake(policy(slos=text), message)


@pytest.mark.parametrize("name", ["-", "a:b", "a\\tb", " a", "ä"])
def test_a_name_is_made_of_letters_digits_and_a_few_signs(name: str) -> None:
    text = f'slos:\n  - name: ¦"{name}"\n    {OBJECTIVE}\n    {WINDOW}\n    {SLI}\n'
    shown = name.replace("\\t", "\t")

    assert_mistake(
        policy(slos=text),
        f"{shown!r} is not a valid name; use letters and digits, with . _ / - or spaces between"
        " them",
    )


def test_slos_that_are_all_advisory_decide_nothing() -> None:
    assert_mistake(
        policy(slos=slo(OBJECTIVE, WINDOW, SLI, "advisory: true").replace("  -", "  ¦-")),
        "every SLO is advisory, so that nothing decides; remove advisory from one of them",
    )
