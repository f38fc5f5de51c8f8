"""Watching a canary: every way in which it can go, on counts that are written here."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.watch import EXIT_CODES, SpendLimit
from gate.analysis.watch.arms import Arms, NotComparableError, TrafficLabel, watched_slos
from gate.analysis.watch.run import watch_grid
from gate.errors import ExitCode, UsageError
from gate.history.sequential.verdict import CanaryStanding, CanaryVerdict
from gate.measure import Cause, Counts, Evidence
from gate.slo.objective import RatioSlo
from tests.analysis.memory import counts, file, slo, unmeasured
from tests.analysis.watching import (
    ALONE,
    CANARY,
    HEALTHY,
    MINUTE,
    STABLE,
    START,
    Machine,
    Minute,
    minute,
    options,
    watch_minutes,
)

HOUR = timedelta(hours=1)
UNSEEN: Minute = {STABLE: (9000, 9)}
"""A minute in which the canary has no request."""


def test_a_canary_like_its_baseline_is_healthy_after_the_whole_time() -> None:
    done = watch_minutes(HEALTHY)
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert EXIT_CODES[done.report.verdict] is ExitCode.ALLOW
    assert seen.standing is CanaryStanding.WITHIN
    assert seen.canary == pytest.approx((60_000, 60))
    assert seen.baseline == pytest.approx((540_000, 540))
    assert seen.excess == 0
    assert seen.bounds[0] < 0 < seen.bounds[1] < seen.margin == pytest.approx(0.001)
    assert done.report.ended_at == START + HOUR
    # The last two steps settle two minutes after the hour.
    assert done.machine.seconds == 62 * 60
    assert done.report.looks == 62


def test_each_step_is_requested_in_three_looks_and_never_again() -> None:
    done = watch_minutes(HEALTHY)

    # The last look is two minutes after the end, so that it asks for the last step again.
    times = Counter(place for places in done.asked for place in places)
    assert times == {**dict.fromkeys(range(59), 3), 59: 2}
    assert done.asked[:4] == [[0], [0, 1], [0, 1, 2], [1, 2, 3]]
    # The budget is measured at the start, for its size, then every ten looks, and at the end.
    assert done.traffic.measured == [*(START + n * 10 * MINUTE for n in range(7)), START + HOUR]


def test_a_worse_canary_is_rolled_back_as_soon_as_that_is_shown() -> None:
    # A hundredth fails, and a thousandth of the baseline.
    done = watch_minutes((minute(10),) * 60)
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert EXIT_CODES[done.report.verdict] is ExitCode.BLOCK
    assert seen.standing is CanaryStanding.WORSE
    assert seen.evidence >= seen.needed == pytest.approx(log(20))
    watched = len(seen.steps)
    assert watched <= 4
    assert done.report.ended_at == START + watched * MINUTE
    assert seen.canary == pytest.approx((1000 * watched, 10 * watched))
    # A third of a step later it has looked at the baseline once more.
    assert done.machine.seconds == 60 * watched + 20
    # 9 more a minute than at the baseline's ratio, of 1,000 that may fail in the window.
    assert seen.spent == pytest.approx((0.009 * watched, 0.009 * watched))
    assert seen.saved == pytest.approx(0.009 * (60 - watched))


def test_an_outage_of_both_accuses_nobody() -> None:
    outage: list[Minute] = [minute(200, 1800)] * 10

    done = watch_minutes([*HEALTHY[:20], *outage, *HEALTHY[30:]])

    assert done.report.verdict is not CanaryVerdict.ROLL_BACK
    assert done.report.slos[0].evidence < log(20)


def test_a_canary_that_becomes_worse_later_is_rolled_back() -> None:
    done = watch_minutes([*HEALTHY[:30], *((minute(20),) * 30)])

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert 30 < len(done.report.slos[0].steps) < 45


def test_a_value_that_never_appears_is_named_with_the_nearest_there_is() -> None:
    minutes: list[Minute] = [{("canary-v2",): (1000, 1), STABLE: (9000, 9)}] * 60

    done = watch_minutes(minutes)

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    trouble = "no event has track=canary; did you mean 'canary-v2'?"
    assert done.report.slos[0].troubles == (trouble,)
    # A canary may need some minutes until it has traffic.
    assert [bool(look.slos[0].troubles) for look in done.machine.looks[:5]] == [
        *(False, False, False),
        *(True, True),
    ]


def test_without_a_baseline_event_nothing_can_be_told() -> None:
    done = watch_minutes([{CANARY: (1000, 1)}] * 60)

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert "no event has track=stable; known: canary" in done.report.slos[0].troubles


def test_a_service_without_traffic_cannot_be_judged() -> None:
    done = watch_minutes([{}] * 60)

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert done.report.slos[0].troubles == ("there was no traffic",)
    assert done.report.slos[0].missing == 0


def test_a_canary_whose_traffic_ends_is_not_healthy_although_what_was_seen_is_within() -> None:
    done = watch_minutes([*HEALTHY[:40], *[UNSEEN] * 20])
    (seen,) = done.report.slos

    assert seen.standing is CanaryStanding.WITHIN
    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert seen.troubles == ("track=canary has had no traffic since 2026-11-20 14:40 UTC",)


def test_a_canary_alone_whose_traffic_ends_is_not_healthy() -> None:
    done = watch_minutes([*HEALTHY[:40], *[UNSEEN] * 20], options(arms=ALONE))

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("minutes", "silent", "since"),
    [
        ([*HEALTHY[:20], *[UNSEEN] * 20, *HEALTHY[:20]], 20, "14:20"),
        ([*HEALTHY[:20], *[UNSEEN] * 39, minute(0, of=(1, 9000))], 39, "14:20"),
        ([*[UNSEEN] * 7, *HEALTHY[:53]], 7, "14:00"),
        ([UNSEEN, *HEALTHY[:3]] * 15, 15, "14:00"),
    ],
    ids=["in the middle", "all but a single request", "at the start", "again and again"],
)
def test_a_canary_without_traffic_for_a_part_of_the_time_is_not_healthy(
    minutes: Sequence[Minute], silent: int, since: str
) -> None:
    done = watch_minutes(minutes)
    (seen,) = done.report.slos

    assert seen.standing is CanaryStanding.WITHIN
    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert seen.troubles == (
        f"track=canary had no traffic in {silent} of 60 steps in which track=stable had some;"
        f" the first began at 2026-11-20 {since} UTC",
    )
    first, second = done.report.reasons
    assert first.endswith(seen.troubles[0])
    assert second.startswith("errors: in what was seen, at most ")


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "minutes",
    [
        [*[UNSEEN] * 5, *HEALTHY[:55]],
        [*HEALTHY[:30], *[UNSEEN] * 3, *HEALTHY[:27]],
        [*HEALTHY[:10], *[{}] * 20, *HEALTHY[:30]],
        [{CANARY: (1000, 1)}, *[UNSEEN] * 2, *HEALTHY[:57]],
    ],
    ids=["while it starts", "a restart", "nobody had any", "no baseline yet"],
)
def test_a_canary_may_be_without_traffic_for_a_short_time_or_when_all_are(
    minutes: Sequence[Minute],
) -> None:
    assert watch_minutes(minutes).report.verdict is CanaryVerdict.HEALTHY


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("total", "bad", "verdict"),
    [
        (2, 2, CanaryVerdict.CANNOT_TELL),
        (0, 2, CanaryVerdict.CANNOT_TELL),
        (2, 0.5, CanaryVerdict.HEALTHY),
        (4, 2, CanaryVerdict.HEALTHY),
        (500, 5, CanaryVerdict.HEALTHY),
    ],
    ids=["only failures", "another metric", "too few to matter", "half of it", "other traffic"],
)
def test_failures_without_the_label_of_the_canary_may_be_its_own(
    total: float, bad: float, verdict: CanaryVerdict
) -> None:
    # A thousandth of the canary's requests may be worse: 1 of the 1,000 of a minute.
    done = watch_minutes([{**(each or {}), ("",): (total, bad)} for each in HEALTHY])

    assert done.report.verdict is verdict
    if verdict is CanaryVerdict.CANNOT_TELL:
        assert done.report.slos[0].troubles == (
            "120 failures have no track, and may be those of track=canary: let failures have that"
            " label, too, or leave them out by the selector of the SLO",
        )


def test_a_canary_alone_may_rest() -> None:
    done = watch_minutes([*HEALTHY[:20], *[UNSEEN] * 20, *HEALTHY[:20]], options(arms=ALONE))

    assert done.report.slos[0].troubles == ()


def test_a_quiet_end_of_little_traffic_raises_no_doubt() -> None:
    # 20 of its requests a minute; in the last half a minute there happened to be none.
    busy, quiet = minute(0, 0, of=(20, 2000)), minute(0, 0, of=(0, 1900))
    done = watch_minutes([*[busy] * 59, quiet], options(margin=Fraction(20)))

    assert done.report.slos[0].troubles == ()


def test_the_backend_may_be_down_for_a_while_and_is_asked_again() -> None:
    done = watch_minutes(HEALTHY, down=lambda now: 20 <= now < 30)

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert done.report.slos[0].canary == pytest.approx((60_000, 60))
    assert done.machine.looks[25].slos[0].troubles == (
        "6 of 25 steps have no data: backend error: the server does not answer",
    )
    assert list(range(19, 30)) in done.asked


def test_a_backend_that_stays_down_leaves_it_undecided_with_the_reason() -> None:
    done = watch_minutes(HEALTHY, down=lambda now: now >= 50)
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert EXIT_CODES[done.report.verdict] is ExitCode.UNDECIDED
    assert seen.missing == 11
    assert seen.troubles == (
        "11 of 60 steps have no data: backend error: the server does not answer",
    )


def test_a_minute_that_is_lost_leaves_it_undecided() -> None:
    done = watch_minutes([*HEALTHY[:10], None, *HEALTHY[11:]])

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert done.report.slos[0].troubles == (
        "1 of 60 steps have no data: no data: there is nothing",
    )
    # It is asked for by itself until the end.
    assert [10] in done.asked[-2:]


def test_a_minute_that_is_known_late_counts_and_the_report_is_about_all_that_was_seen() -> None:
    # The minute in which 50 more fail than at the baseline's ratio is known seven minutes later.
    minutes = [*HEALTHY[:3], minute(51), *HEALTHY[4:]]
    wanted = options(max_spend=Fraction(2, 100))

    done = watch_minutes(minutes, wanted, lost=lambda place, age: place == 3 and age < 7)

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert done.machine.seconds == 11 * 60
    # Eight steps had settled, which is enough: the three after them may still change.
    assert len(done.report.slos[0].steps) == 8
    assert done.report.slos[0].canary == pytest.approx((8_000, 58))


def test_a_signal_in_the_last_look_is_reported() -> None:
    done = watch_minutes(HEALTHY, machine=Machine(until=62 * 60 + 2, latency=5))

    assert done.report.interrupted
    assert done.report.verdict is CanaryVerdict.HEALTHY


def test_a_lost_minute_does_not_hide_a_worse_canary() -> None:
    done = watch_minutes([minute(10), None, *[minute(10)] * 58])

    assert done.report.verdict is CanaryVerdict.ROLL_BACK


def test_events_that_come_late_are_counted_whole() -> None:
    done = watch_minutes(HEALTHY, arrived=lambda _place, age: min(0.5 + age / 2, 1))

    assert done.report.slos[0].canary == pytest.approx((60_000, 60))
    assert done.report.verdict is CanaryVerdict.HEALTHY


def test_a_step_without_any_event_is_requested_until_its_events_are_there() -> None:
    done = watch_minutes(HEALTHY, arrived=lambda place, age: float(place < 50 or age >= 8))

    # Those of the last minutes are still missing two minutes after the end, as if there were none.
    assert done.report.slos[0].canary == pytest.approx((54_000, 54))


def test_a_slow_backend_makes_looks_rarer() -> None:
    done = watch_minutes(HEALTHY, machine=Machine(latency=150))

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert done.report.slos[0].canary == pytest.approx((60_000, 60))
    # An answer takes two and a half minutes, so that there is a look every three.
    assert 20 <= done.report.looks <= 23


def test_the_clock_is_read_once_so_that_no_setting_of_it_changes_the_steps() -> None:
    done = watch_minutes(HEALTHY)

    assert done.machine.clock_reads == 1


def test_steps_begin_with_the_next_minute_of_the_clock() -> None:
    late = watch_grid(options(), START + timedelta(seconds=23))
    fine = watch_grid(options(every=timedelta(seconds=10)), START + timedelta(seconds=23))
    rare = watch_grid(options(every=timedelta(minutes=7)), START + timedelta(seconds=23))

    assert (late.start, late.count) == (START + MINUTE, 60)
    assert (fine.start, fine.count) == (START + timedelta(seconds=30), 360)
    # A coarse step does not wait for its own multiple, and covers the whole time.
    assert (rare.start, rare.count) == (START + MINUTE, 9)


@pytest.mark.parametrize("ended", [0, 1, 2, 30, 59])
def test_a_signal_before_the_end_never_leaves_a_healthy_canary(ended: int) -> None:
    done = watch_minutes(HEALTHY, machine=Machine(until=ended * 60 + 5))

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert done.report.interrupted
    assert len(done.report.slos[0].steps) == ended
    assert done.report.reasons[-1].startswith("only ")


def test_a_signal_after_the_whole_time_leaves_the_verdict_on_all_of_it() -> None:
    done = watch_minutes(HEALTHY, machine=Machine(until=60 * 60 + 5))

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert done.report.interrupted


def test_a_signal_while_the_backend_is_asked_ends_the_watch() -> None:
    done = watch_minutes(HEALTHY, machine=Machine(until=80, latency=30))

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert done.report.interrupted
    assert done.report.slos[0].steps == (None,)


@pytest.mark.crossed
@pytest.mark.parametrize("cut", range(0, 62, 7))
@pytest.mark.parametrize("bad", [1, 2, 10])
def test_a_watch_that_goes_on_after_a_restart_ends_like_one_without(cut: int, bad: int) -> None:
    minutes = [minute(bad if place % 3 else 0) for place in range(60)]
    whole = watch_minutes(minutes).report
    first = watch_minutes(minutes, machine=Machine(until=cut * 60 + 1.0))
    then = Machine(seconds=first.machine.seconds + 200)

    report = watch_minutes(minutes, machine=then, state=first.machine.states[-1]).report

    assert (report.verdict, report.slos) == (whole.verdict, whole.slos)
    assert report.ended_at == whole.ended_at


@pytest.mark.slow
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 61), factor=st.sampled_from([1, 2, 6]))
def test_a_restart_at_any_look_changes_nothing(seed: int, cut: int, factor: int) -> None:
    draw = random.Random(seed)
    minutes = [
        minute(
            sum(draw.random() < 0.002 * factor for _ in range(300)),
            sum(draw.random() < 0.002 for _ in range(900)),
            of=(300, 900),
        )
        for _ in range(60)
    ]
    whole = watch_minutes(minutes).report
    first = watch_minutes(minutes, machine=Machine(until=cut * 60 + 1.0))

    report = watch_minutes(
        minutes, machine=Machine(seconds=first.machine.seconds), state=first.machine.states[-1]
    ).report

    assert (report.verdict, report.slos) == (whole.verdict, whole.slos)


def test_a_watch_that_has_ended_says_the_same_when_it_is_resumed() -> None:
    first = watch_minutes((minute(10),) * 60, machine=Machine(seconds=3 * 3600))

    again = watch_minutes(
        (minute(10),) * 60, machine=Machine(seconds=4 * 3600), state=first.machine.states[-1]
    )

    assert again.report.verdict is CanaryVerdict.ROLL_BACK
    assert again.report.slos == first.report.slos
    assert again.traffic.asked == []


def test_recorded_data_are_requested_at_once_and_judged_minute_by_minute() -> None:
    minutes = [*HEALTHY[:30], *((minute(20),) * 30)]
    live = watch_minutes(minutes)

    replayed = watch_minutes(minutes, machine=Machine(seconds=86_400))

    # The step that accuses is looked at again, a little earlier and later.
    first, *again = replayed.asked
    assert first == list(range(60))
    assert len(again) == 2
    assert replayed.report.slos == live.report.slos
    assert replayed.report.ended_at == live.report.ended_at


def test_one_of_several_slos_is_enough_to_roll_back_and_needs_more_evidence() -> None:
    done = watch_minutes({"errors": HEALTHY, "slow": (minute(10),) * 60})
    errors, slow = done.report.slos

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert (errors.standing, slow.standing) == (CanaryStanding.NOT_SHOWN, CanaryStanding.WORSE)
    assert slow.needed == pytest.approx(log(40))
    assert all(reason.startswith("slow: ") for reason in done.report.reasons)


def test_every_slo_must_be_within_the_margin() -> None:
    few: list[Minute] = [minute(0, 0, of=(3, 30))] * 60

    done = watch_minutes({"errors": HEALTHY, "few": few})

    assert [seen.standing for seen in done.report.slos] == [
        CanaryStanding.WITHIN,
        CanaryStanding.NOT_SHOWN,
    ]
    assert done.report.verdict is CanaryVerdict.CANNOT_TELL


def test_only_the_named_slo_is_watched() -> None:
    done = watch_minutes({"errors": HEALTHY, "slow": (minute(10),) * 60}, options(slos=("errors",)))

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert {str(request.sli.bad) for request in done.traffic.asked} == {"errors"}


def test_canary_and_baseline_may_have_different_labels() -> None:
    arms = Arms(TrafficLabel("deployment", "v2"), TrafficLabel("track", "stable"))
    minutes: list[Minute] = [
        {
            ("v2", "canary"): (600, 6),
            ("v2", "stable"): (400, 4),  # of both: the canary's
            ("v1", "stable"): (9000, 9),
            ("v1", "shadow"): (5000, 5000),
        }
    ] * 60

    done = watch_minutes(minutes, options(arms=arms))
    (seen,) = done.report.slos

    assert done.traffic.asked[0].by == ("deployment", "track")
    steps = len(seen.steps)
    assert seen.canary == pytest.approx((1000 * steps, 10 * steps))
    assert seen.baseline == pytest.approx((9000 * steps, 9 * steps))
    assert done.report.verdict is CanaryVerdict.ROLL_BACK


def test_a_canary_without_a_baseline_is_compared_with_the_budget() -> None:
    worse = watch_minutes((minute(10),) * 60, options(arms=ALONE))
    healthy = watch_minutes(HEALTHY, options(arms=ALONE))

    assert worse.report.verdict is CanaryVerdict.ROLL_BACK
    assert worse.report.slos[0].baseline is None
    assert healthy.report.verdict is CanaryVerdict.HEALTHY
    # The budget and the margin: twice a thousandth.
    assert healthy.report.slos[0].margin == pytest.approx(0.002)
    assert {request.by for request in healthy.traffic.asked} == {("track",)}


def test_a_canary_that_is_shown_to_spend_more_than_agreed_is_rolled_back_within_any_margin() -> (
    None
):
    # Three in a hundred more fail than of the baseline, where ten are within the margin.
    wanted = options(margin=Fraction(100), max_spend=Fraction(1, 10))

    done = watch_minutes((minute(30),) * 60, wanted)
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert seen.overspent
    # After four minutes 116 of the 1,000 that may fail are spent, of which not all are shown.
    assert 4 <= len(seen.steps) <= 8
    assert seen.troubles == ()


@pytest.mark.parametrize("of", [(1000, 9000), (100, 900), (600, 20)])
@pytest.mark.parametrize("margin", [1, 900])
def test_a_canary_of_which_half_fails_is_stopped_in_two_looks(
    of: tuple[float, float], margin: int
) -> None:
    wanted = options(margin=Fraction(margin), max_spend=Fraction(1, 100))

    done = watch_minutes((minute(of[0] / 2, 0, of=of),) * 60, wanted)

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert len(done.report.slos[0].steps) <= 2


def test_half_of_a_canary_failing_after_its_baseline_was_away_is_stopped_in_two_looks() -> None:
    away: list[Minute] = [{CANARY: (1000, 1)}] * 20
    wanted = options(margin=Fraction(900), max_spend=Fraction(5, 100))

    done = watch_minutes([*HEALTHY[:5], *away, *((minute(500),) * 35)], wanted)

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert len(done.report.slos[0].steps) <= 27


@pytest.mark.variants(1)
@pytest.mark.parametrize("stable", [[(600, 6)] * 10 + [(0, 0)] * 50, [(2, 0)] * 60])
def test_what_chance_can_have_spent_is_neither_a_rollback_nor_healthy(
    stable: list[tuple[float, float]],
) -> None:
    # One in a hundred of both fails, and the baseline goes away, or hardly has any traffic.
    minutes: list[Minute] = [{CANARY: (600, 6), STABLE: counts} for counts in stable]
    wanted = options(margin=Fraction(1, 2), max_spend=Fraction(5, 1000))
    policy = file("chat", slo("errors", budget="objective: 98%"))

    done = watch_minutes(minutes, wanted, policy=policy, budget=counts(1_000_000, 10_000))
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert not seen.overspent
    assert any("it may have spent more than was agreed" in trouble for trouble in seen.troubles)


def test_failures_below_the_limit_are_never_overspent() -> None:
    # Ten an hour fail of the canary, none of the baseline; ten of 1,000 may.
    minutes = [minute(1 if place % 6 == 0 else 0, 0) for place in range(60)]

    done = watch_minutes(minutes, options(max_spend=Fraction(1, 100)))

    assert done.report.verdict is CanaryVerdict.HEALTHY


def test_all_failures_of_a_canary_without_a_baseline_are_spent() -> None:
    done = watch_minutes((minute(1),) * 60, options(arms=ALONE, max_spend=Fraction(1, 100)))

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert len(done.report.slos[0].steps) == 11


def test_the_strictest_of_what_was_promised_and_what_is_stated_counts() -> None:
    promise = SpendLimit(most=Fraction(1, 100), expected=Fraction(1, 200), promised=True)

    def limit(max_spend: Fraction | None) -> SpendLimit | None:
        return options(max_spend=max_spend, promises={"errors": promise}).limit("errors")

    assert limit(None) == promise
    assert limit(Fraction(1, 50)) == promise
    assert limit(Fraction(1, 1000)) == SpendLimit(most=Fraction(1, 1000), expected=Fraction(1, 200))
    assert options(max_spend=Fraction(1, 50)).limit("errors") == SpendLimit(most=Fraction(1, 50))
    assert options().limit("errors") is None


def test_a_budget_that_is_not_measured_leaves_open_what_was_spent() -> None:
    done = watch_minutes(
        HEALTHY, options(max_spend=Fraction(1, 20)), budget=unmeasured(Cause.BACKEND_ERROR)
    )

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert done.report.slos[0].troubles == (
        "its budget was not measured, so the spent part is unknown: it is backend_error",
    )
    # It is asked for in every look, as the verdict hangs on it.
    assert len(done.traffic.measured) == done.report.looks + 1


def test_a_budget_that_is_measured_late_ends_the_watch_at_once_where_too_much_is_spent() -> None:
    wanted = options(margin=Fraction(100), max_spend=Fraction(1, 20))

    done = watch_minutes((minute(30),) * 60, wanted, budget_after=4.5)

    assert done.report.verdict is CanaryVerdict.ROLL_BACK
    assert done.report.slos[0].overspent
    # What was seen by then is enough, and the fifth step is not asked for.
    assert (done.machine.seconds, len(done.report.slos[0].steps)) == (300, 4)
    assert done.asked[-1] == [1, 2, 3]


def test_without_a_limit_the_budget_is_seldom_requested_and_decides_nothing() -> None:
    done = watch_minutes(HEALTHY, budget=unmeasured(Cause.BACKEND_ERROR))

    assert done.report.verdict is CanaryVerdict.HEALTHY
    assert done.report.slos[0].spent is None
    assert len(done.traffic.measured) == 8


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (Fraction(1, 1000), CanaryVerdict.ROLL_BACK),
        (Fraction(1, 20), CanaryVerdict.CANNOT_TELL),
        (Fraction(1, 2), CanaryVerdict.HEALTHY),
    ],
)
def test_what_was_spent_of_a_budget_that_is_hardly_measured_is_a_range(
    limit: Fraction, verdict: CanaryVerdict
) -> None:
    # A tenth of the window is measured, of which 100 may fail: 10 more failures are 1% to 10%.
    evidence = Evidence(query="asked", coverage=Fraction(1, 10))
    budget = Counts(total=Fraction(100_000), bad=Fraction(10), evidence=evidence)
    minutes = [minute(1 if place % 6 == 5 else 0) for place in range(60)]

    done = watch_minutes(minutes, options(arms=ALONE, max_spend=limit), budget=budget)
    (seen,) = done.report.slos

    assert done.report.verdict is verdict
    if verdict is not CanaryVerdict.ROLL_BACK:
        assert seen.spent == pytest.approx((0.01, 0.1))
    if verdict is CanaryVerdict.CANNOT_TELL:
        assert seen.troubles == (
            "the size of its budget is not known: only 3d of 30d are measured",
        )


def test_events_that_are_a_sample_tell_as_much_as_independent_ones() -> None:
    policy = file("chat", slo("errors", more="sampled: {design_effect: 4}"))

    plain, sampled = watch_minutes(HEALTHY), watch_minutes(HEALTHY, policy=policy)

    assert sampled.report.slos[0].canary == pytest.approx((60_000, 60))
    assert sampled.report.slos[0].bounds[1] > plain.report.slos[0].bounds[1]


def test_a_healthy_canary_can_be_told_for_how_much_longer_it_needs() -> None:
    minutes: list[Minute] = [minute(0, 1, of=(100, 900))] * 20

    done = watch_minutes(minutes, options(lasting=20 * MINUTE))
    (seen,) = done.report.slos

    assert done.report.verdict is CanaryVerdict.CANNOT_TELL
    assert seen.longer is not None
    longer = watch_minutes(minutes * 10, options(lasting=20 * MINUTE + seen.longer))
    assert longer.report.verdict is CanaryVerdict.HEALTHY


@pytest.mark.parametrize(
    ("slos", "names", "message"),
    [
        ((slo("errors"),), ("eror",), "the policy has no SLO eror; did you mean 'errors'?"),
        (
            (slo("errors"), "  - {name: cost, allowance: 5 USD, window: 30d, sli: {spent: c}}\n"),
            (),
            "the SLO cost cannot be compared: spend is an amount, not a count of events",
        ),
        (
            (slo("errors", more="timeslices: {length: 1m, target: 99%}"),),
            (),
            "the SLO errors cannot be compared: it counts slices of time, which belong to neither"
            " the canary nor the baseline",
        ),
    ],
)
def test_an_slo_that_cannot_be_watched_is_refused_at_once(
    slos: tuple[str, ...], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        watch_minutes({"errors": HEALTHY}, options(slos=names), policy=file("chat", *slos))

    assert str(refused.value) == message


def test_series_of_slices_cannot_be_watched() -> None:
    (errors,) = file("chat", slo("errors")).policy.slos
    assert isinstance(errors, RatioSlo)
    policy = file("chat", slo("errors"))
    sliced = replace(errors, sli=replace(errors.sli, sliced=True))

    with pytest.raises(NotComparableError) as refused:
        watched_slos(replace(policy.policy, slos=(sliced,)), ())

    assert "its series have ratios of slices of time" in str(refused.value)
    assert refused.value.others == ()


def test_an_advisory_slo_accuses_only_where_it_is_named() -> None:
    policy = file("chat", slo("errors"), slo("slow", more="advisory: true"))
    minutes = {"errors": HEALTHY, "slow": (minute(10),) * 60}

    unnamed = watch_minutes(minutes, policy=policy)
    named = watch_minutes(minutes, options(slos=("slow",)), policy=policy)

    assert unnamed.report.verdict is CanaryVerdict.HEALTHY
    assert named.report.verdict is CanaryVerdict.ROLL_BACK
