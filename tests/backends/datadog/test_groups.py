"""Groups and monitors of an SLO: ``group:`` in a policy."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.measure import Cause, Counts, Share
from tests.backends.datadog.organization import (
    AT,
    AVAILABILITY,
    DAY,
    END,
    UPTIME,
    asked_windows,
    availability,
    counts,
    hourly,
    measure,
    refused,
    request,
    twisted,
    uptime,
)
from tests.servers.datadog import Body, FakeDatadog

UP = (END - 40 * DAY, 0)
GROUPS = {
    "env:prod": [UP, (END - 10 * DAY, 1), (END - 9 * DAY, 0)],
    "env:eu": [UP, (END - 5 * DAY, 1), (END - 3 * DAY, 0)],
}
OVERALL = [UP, *GROUPS["env:prod"][1:], *GROUPS["env:eu"][1:]]


def grouped() -> FakeDatadog:
    return FakeDatadog(slos=[uptime(states=OVERALL, groups=GROUPS)])


def as_monitors(body: Body) -> None:
    """Have several monitors in place of groups."""
    data = body["data"]
    data["monitors"] = [{"name": part["name"], **part} for part in data.pop("groups")]
    for part in data["monitors"]:
        del part["group"]


def test_group_is_counted_by_itself_and_the_slo_by_all_of_them() -> None:
    fake = grouped()
    names = (None, "env:prod", "env:eu")
    answers = measure(fake, *(request(UPTIME, group=name) for name in names))

    assert [counts(answer) for answer in answers] == [
        (3 * DAY, 30 * DAY),
        (DAY, 30 * DAY),
        (2 * DAY, 30 * DAY),
    ]
    assert asked_windows(fake) == [("b", 30 * DAY)]


def test_monitor_of_several_is_counted_by_its_name() -> None:
    fake = twisted(as_monitors, uptime(states=OVERALL, groups=GROUPS))
    (answer,) = measure(fake, request(UPTIME, group="env:eu"))

    assert counts(answer) == (2 * DAY, 30 * DAY)


def test_group_that_is_not_there_is_reported_with_those_that_are() -> None:
    cause, reason = refused(measure(grouped(), request(UPTIME, group="env:us"))[0])

    assert cause == Cause.NO_DATA
    assert "no group or monitor 'env:us'; it has env:eu, env:prod" in reason


def test_group_of_an_slo_without_groups_is_invalid() -> None:
    (answer,) = measure(FakeDatadog(slos=[uptime()]), request(UPTIME, group="env:us"))

    assert refused(answer) == (
        Cause.INVALID,
        "the SLO has no group or monitor 'env:us'; Datadog reports no groups for this SLO; compare"
        " the SLO, and its group, with the platform's own page of it",
    )


def test_two_groups_of_one_name_are_invalid() -> None:
    def twist(body: Body) -> None:
        body["data"]["monitors"] = list(body["data"]["groups"])

    fake = twisted(twist, uptime(states=OVERALL, groups=GROUPS))

    assert refused(measure(fake, request(UPTIME, group="env:eu"))[0])[0] == Cause.INVALID


@pytest.mark.parametrize("groups", ["all", {"env:eu": []}])
def test_groups_that_are_not_a_list_are_invalid(groups: Any) -> None:
    fake = twisted(lambda body: body["data"].update(groups=groups), uptime())

    assert refused(measure(fake, request(UPTIME, group="env:eu"))[0])[0] == Cause.INVALID


def test_preview_of_another_group_makes_the_whole_partial_and_not_this_one() -> None:
    def twist(body: Body) -> None:
        body["data"]["overall"]["preview"] = True
        body["data"]["groups"][0]["preview"] = True

    fake = twisted(twist, uptime(states=OVERALL, groups=GROUPS))
    names = (None, "env:prod", "env:eu")
    answers = measure(fake, *(request(UPTIME, group=name) for name in names))

    assert [bool(answer.evidence.warnings) for answer in answers if isinstance(answer, Counts)] == [
        True,
        True,
        False,
    ]


def test_group_without_events_does_not_make_the_whole_slo_partial() -> None:
    error = {"error_type": "ZERO_VALUED_DENOMINATOR", "error_message": "zero"}
    quiet = {"group": "env:eu", "sli_value": None, "errors": [error]}
    (answer,) = measure(twisted(lambda body: body["data"].update(groups=[quiet])))

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert not answer.evidence.warnings


@pytest.mark.parametrize("change", [lambda _: None, as_monitors])
@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"errors": [{"error_type": "T", "error_message": "no such monitor"}]}, "no such monitor"),
        ({"errors": ["broken"]}, "broken"),
        ({"preview": True}, "still replayed"),
    ],
)
def test_whole_slo_is_partial_where_a_part_of_it_is_not_known(
    change: Callable[[Body], None], part: Body, words: str
) -> None:
    def twist(body: Body) -> None:
        body["data"]["groups"][1].update(part)
        change(body)

    whole, other = measure(
        twisted(twist, uptime(states=OVERALL, groups=GROUPS)),
        request(UPTIME),
        request(UPTIME, group="env:prod"),
    )

    assert isinstance(whole, Counts)
    (warning,) = whole.evidence.warnings
    assert "does not know all of 'env:eu'" in warning
    assert words in warning
    assert isinstance(other, Counts)
    assert not other.evidence.warnings


@pytest.mark.parametrize(
    ("part", "cause"),
    [
        ({"sli_value": None}, Cause.NO_DATA),
        ({"errors": [{"error_type": "T", "error_message": "m"}]}, Cause.BACKEND_ERROR),
        ({"state": "no_data"}, Cause.NO_DATA),
        ({"history": None}, Cause.INVALID),
        ({"history": []}, Cause.NO_DATA),
    ],
)
def test_traps_of_a_group_are_those_of_the_whole(part: Body, cause: Cause) -> None:
    fake = twisted(
        lambda body: body["data"]["groups"][0].update(part), uptime(states=OVERALL, groups=GROUPS)
    )

    assert refused(measure(fake, request(UPTIME, group="env:prod"))[0])[0] == cause


def test_group_of_a_metric_based_slo_is_a_share_as_datadog_tells_no_counts_of_it() -> None:
    part = {"group": "env:prod", "sli_value": 99.95, "span_precision": 3}
    fake = twisted(lambda body: body["data"].update(groups=[part]))
    (answer,) = measure(fake, request(AVAILABILITY, group="env:prod"))

    assert isinstance(answer, Share)
    assert (answer.bad, answer.error) == (Fraction(5, 10_000), Fraction(5, 1_000_000))
    assert "reports no counts for a group" in answer.evidence.notes[-1]


@pytest.mark.parametrize("days", [0, 20])
def test_group_of_a_metric_based_slo_is_no_newer_than_all_of_them(days: int) -> None:
    part = {"group": "env:prod", "sli_value": 100.0}
    slo = availability(events=hourly(hours=(30 - days) * 24, before=days * DAY))
    fake = twisted(lambda body: body["data"].update(groups=[part]), slo)
    (answer,) = measure(fake, request(AVAILABILITY, group="env:prod"))

    assert isinstance(answer, Share)
    assert answer.evidence.newest is not None
    assert timedelta(days) <= AT - answer.evidence.newest <= timedelta(days, hours=1)
    assert answer.evidence.coverage == 1 - Fraction(days, 30)


def test_group_of_a_metric_based_slo_without_any_event_has_no_traffic() -> None:
    part = {"group": "env:prod", "sli_value": 100.0}
    fake = twisted(lambda body: body["data"].update(groups=[part]), availability(events=[]))
    (answer,) = measure(fake, request(AVAILABILITY, group="env:prod"))

    assert refused(answer)[0] == Cause.NO_TRAFFIC


@pytest.mark.parametrize("series", [None, {}, "none"])
def test_group_is_known_where_the_events_of_all_are_not(series: Any) -> None:
    part = {"group": "env:prod", "sli_value": 100.0}
    fake = twisted(lambda body: body["data"].update(groups=[part], series=series))
    (answer,) = measure(fake, request(AVAILABILITY, group="env:prod"))

    assert isinstance(answer, Share)
    assert answer.evidence.newest is None


def test_group_of_a_metric_based_slo_without_an_sli_is_invalid() -> None:
    fake = twisted(lambda body: body["data"].update(groups=[{"group": "env:prod"}]))

    assert refused(measure(fake, request(AVAILABILITY, group="env:prod"))[0])[0] == Cause.INVALID


def test_metric_based_slo_with_groups_is_counted_as_a_whole() -> None:
    part = {"group": "env:prod", "sli_value": 99.95}
    fake = twisted(lambda body: body["data"].update(groups=[part]), availability())

    assert counts(measure(fake)[0]) == (180, 720_000)
