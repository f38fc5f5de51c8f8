"""``endpoint: status``: Datadog's own share, rounded, in place of counts."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.measure import Answer, Cause, Share
from tests.backends.datadog.organization import (
    AVAILABILITY,
    DAY,
    END,
    UPTIME,
    availability,
    measure,
    refused,
    request,
    uptime,
)
from tests.servers.datadog import Body, FakeDatadog


def status(fake: FakeDatadog, **more: Any) -> Answer:
    (answer,) = measure(fake, request(**more), endpoint="status")
    return answer


def with_status(**values: Any) -> FakeDatadog:
    """Return an organization whose status has other attributes."""

    def twist(path: str, body: Body) -> None:
        if path.endswith("/status"):
            body["data"]["attributes"] |= values

    return FakeDatadog(slos=[availability()], twist=twist)


def test_status_is_a_share_with_half_a_unit_of_its_last_decimal() -> None:
    fake = FakeDatadog(slos=[availability()])
    answer = status(fake)

    # 180 of 720,000 are bad, 0.025%: Datadog rounds 99.975% to 99.97% or 99.98%.
    assert isinstance(answer, Share)
    assert answer.error == Fraction(5, 100_000)
    assert abs(answer.bad - Fraction(25, 100_000)) <= answer.error
    path, params = fake.requests[-1]
    assert path == f"/api/v2/slo/{AVAILABILITY}/status"
    assert params == {
        "from_ts": str(END - 30 * DAY),
        "to_ts": str(END),
        "disable_corrections": "false",
    }
    assert any("does not say how new its data is" in note for note in answer.evidence.notes)


def test_window_of_a_burn_rate_is_requested_without_notes() -> None:
    answer = status(FakeDatadog(slos=[availability()]), length=timedelta(hours=1), probe=False)

    assert isinstance(answer, Share)
    assert answer.bad == Fraction(1, 1000)
    assert not answer.evidence.notes


def test_corrections_can_be_left_unapplied() -> None:
    fake = FakeDatadog(slos=[uptime(corrections=[(END - 10 * DAY, END - 9 * DAY, "Other")])])
    applied, plain = (
        measure(fake, request(UPTIME), endpoint="status", corrections=choice)[0]
        for choice in (True, False)
    )

    assert isinstance(applied, Share)
    assert applied.bad == 0
    assert isinstance(plain, Share)
    assert plain.bad > 0


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"state": "no_data", "sli": 100.0}, Cause.NO_DATA),
        ({"sli": None}, Cause.NO_DATA),
        ({"sli": "99.9"}, Cause.INVALID),
        ({"sli": True}, Cause.INVALID),
        ({"sli": float("nan")}, Cause.INVALID),
        ({"sli": 100.01}, Cause.INVALID),
        ({"sli": -1}, Cause.INVALID),
        ({"state": None}, Cause.INVALID),
        ({"state": "paused"}, Cause.INVALID),
        ({"state": []}, Cause.INVALID),
    ],
)
def test_status_that_is_not_a_share_is_not_measured(values: Body, cause: Cause) -> None:
    assert refused(status(with_status(**values)))[0] == cause


@pytest.mark.parametrize("state", ["ok", "warning", "breached"])
def test_verdict_of_datadog_decides_nothing(state: str) -> None:
    answer = status(with_status(state=state, sli=98.0, error_budget_remaining=0))

    assert isinstance(answer, Share)
    assert answer.bad == Fraction(2, 100)


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"errors": ["broken"]}, Cause.BACKEND_ERROR),
        ({"data": None}, Cause.INVALID),
        ({"data": {"id": AVAILABILITY}}, Cause.INVALID),
        ({"data": {"id": UPTIME, "attributes": {"sli": 99, "state": "ok"}}}, Cause.INVALID),
    ],
)
def test_answer_that_is_not_a_status_of_the_slo_is_not_measured(values: Body, cause: Cause) -> None:
    def twist(path: str, body: Body) -> None:
        if path.endswith("/status"):
            body |= values

    assert refused(status(FakeDatadog(slos=[availability()], twist=twist)))[0] == cause


def test_refusal_is_an_error() -> None:
    fake = FakeDatadog(slos=[availability()])
    fake.fail = lambda path, _: (
        (403, {"errors": ["Forbidden"]}, {}) if path.endswith("/status") else None
    )

    assert refused(status(fake))[0] == Cause.BACKEND_ERROR


def test_group_has_no_status() -> None:
    assert refused(status(FakeDatadog(slos=[availability()]), group="env:prod"))[0] == Cause.INVALID


@pytest.mark.parametrize(
    "values",
    [
        {"sli": 100.0, "state": "breached"},
        {"sli": 99.91, "state": "breached", "error_budget_remaining": 10.0},
        {"sli": 100.0, "error_budget_remaining": -50.0},
        {"sli": 100.0, "error_budget_remaining": "-50"},
    ],
)
def test_share_that_keeps_the_objective_beside_a_missed_one_is_invalid(
    values: dict[str, Any],
) -> None:
    assert refused(status(with_status(**values)))[0] == Cause.INVALID


@pytest.mark.parametrize(
    "values",
    [
        {"sli": 99.9, "state": "breached", "error_budget_remaining": -0.1},  # of 99.899%
        {"sli": 90.0, "state": "breached", "error_budget_remaining": -9900.0},
        {"sli": 100.0, "state": "warning", "error_budget_remaining": 0},
        {"sli": 100.0, "error_budget_remaining": None},
    ],
)
def test_share_and_verdict_that_may_both_be_true_are_not_invalid(values: dict[str, Any]) -> None:
    answer = status(with_status(**values))

    assert isinstance(answer, Share)
    assert answer.bad == 1 - Fraction(str(values["sli"])) / 100


@pytest.mark.parametrize("errors", ["boom", ["boom"], [{"error_message": "boom"}]])
def test_errors_of_the_slo_in_a_200_are_errors(errors: Any) -> None:
    cause, reason = refused(status(with_status(errors=errors)))

    assert cause == Cause.BACKEND_ERROR
    assert "boom" in reason
