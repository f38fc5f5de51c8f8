"""An SLO whose objective and window a platform has: ``from: platform``."""

import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.slo.indicator import Sli
from gate.slo.objective import (
    CalendarWindow,
    Denominator,
    OwnGuards,
    PlatformSlo,
    RollingWindow,
)
from tests.backends.toy_platform import registered
from tests.config.texts import assert_mistake, policy, read, sound

BACKEND = "backend: {type: toy-platform, path: answers.json}\n"


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    with registered():
        yield


def text(entry: str, *, backend: str = BACKEND) -> str:
    return policy(backend=backend, slos=f"slos:\n  - {{name: chat, {entry}}}\n")


def only(entry: str) -> PlatformSlo:
    (slo,) = sound(text(entry)).slos
    assert isinstance(slo, PlatformSlo)
    return slo


def test_an_entry_that_says_no_more_has_the_name_of_the_slo() -> None:
    assert only("from: platform") == PlatformSlo(name="chat", sli=Sli(slo="chat"))


def test_everything_that_an_entry_may_say_is_read() -> None:
    slo = only(
        'from: platform, sli: {slo: "Chat availability", group: "model:llama"}, objective: 99.9%,'
        " sla: 99%, window: {calendar: month, denominator: to-date}, min_events: 5, advisory:"
        " false, max_age: 1h, min_coverage: 80%, on: {rounded: warn}"
    )

    assert slo.sli == Sli(slo="Chat availability", group="model:llama")
    assert (slo.objective, slo.sla) == (Fraction("0.999"), Fraction("0.99"))
    assert isinstance(slo.window, CalendarWindow)
    assert slo.denominator is Denominator.TO_DATE
    assert (slo.min_events, slo.advisory) == (5, False)
    assert slo.guards == OwnGuards(max_age=timedelta(hours=1), min_coverage=Fraction("0.8"))


def test_it_may_be_a_member_of_a_composite() -> None:
    slos = "slos:\n  - {name: chat, from: platform}\n  - {name: all, composite: [{slo: chat}]}\n"

    assert len(sound(policy(backend=BACKEND, slos=slos)).slos) == 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "from: platform, objective: 99%, sla: ¦99%",
            "the sla must be lower than the objective",
        ),
        (
            "from: platform, sli: {slo: chat, ¦series: chat}",
            "unknown key 'series'; known: group, slo",
        ),
        (
            "objective: 99%, window: 30d, sli: {slo: chat}, timeslices: ¦{length: 5m, target: 99%}",
            "a platform counts its SLO as it is defined there; remove timeslices",
        ),
        ("from: platform, ¦objectiv: 99%", "unknown key 'objectiv'; did you mean 'objective'?"),
    ],
)
def test_what_does_not_go_with_a_platform_is_an_error_at_its_place(
    entry: str, message: str
) -> None:
    assert_mistake(text(entry), message)


def mistakes(whole: str) -> list[str]:
    return [re.sub(r"^gate\.yaml:\d+:\d+: (?:error: )?", "", mistake) for mistake in read(whole)[1]]


@pytest.mark.parametrize("word", ["plattform", "Platform", "plaform"])
def test_a_word_that_is_nearly_platform_is_a_mistake(word: str) -> None:
    whole = policy(backend=BACKEND, slos=f"slos:\n  - from: {word}\n")

    assert mistakes(whole) == [f"no file matches {word!r}; did you mean 'platform'?"]


def test_a_platform_needs_the_name_of_an_slo_where_the_policy_promises_itself() -> None:
    assert mistakes(text("objective: 99%, window: 30d")) == [
        "chat: the key 'sli' is missing; add sli: {slo: NAME}, the name of an SLO of the platform"
    ]


def test_another_backend_keeps_no_slos() -> None:
    _, message = mistakes(text("from: platform", backend="backend: {type: static, path: a.json}\n"))

    assert message.startswith(
        "chat: the static backend keeps no SLOs that could be taken from: platform; write objective"
        " and window here, or name a backend of the type "
    )
    assert "toy-platform" in message


def test_windows_of_a_platform_are_not_a_reason_to_warn_of_burn_rates() -> None:
    whole = text("from: platform, window: 7d") + "burn_rates: google-30d\n"

    assert mistakes(whole) == []
    assert RollingWindow(timedelta(days=7)) == only("from: platform, window: 7d").window
