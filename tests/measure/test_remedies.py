"""The table of what to do: complete, and in the form that messages and docs need."""

import re

import pytest

from gate.measure import Cause
from gate.measure.remedies import REMEDIES, Remedy, advice_in, hint_for, remedy_of, with_advice
from gate.measure.troubles import CONNECTION
from gate.request_failure import Trouble

ENTRIES = [pytest.param(entry, id=key) for key, entry in REMEDIES.items()]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_remedy_of_its_own(cause: Cause) -> None:
    assert remedy_of(cause).key == cause.value


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_remedy_has_whole_sentences_for_the_docs_and_a_clause_for_messages(entry: Remedy) -> None:
    assert re.fullmatch(r"[a-z_-]+", entry.key)
    assert not entry.title.endswith(".")
    assert re.fullmatch(r"[A-Z](?s:.)*\.", entry.means)
    assert re.fullmatch(r"[a-z](?s:.)*[^.]", entry.hint)
    assert entry.action == entry.hint[0].upper() + entry.hint[1:] + "."


def test_a_hint_ends_a_message_and_no_key_adds_nothing() -> None:
    assert hint_for("untrusted-certificate") == (
        "; set backend.tls.ca to the PEM file of the authority that signed it"
    )
    assert not hint_for("")


@pytest.mark.parametrize(
    "place", ["backend.", "backends.judge.", "backends.a b.", "backends.v1.2/x."]
)
def test_advice_is_recognised_wherever_the_keys_of_the_backend_stand(place: str) -> None:
    for entry in REMEDIES.values():
        hint = entry.hint.replace("backend.", place)

        assert with_advice(f"http://a:1: it failed; {hint}", "see") == (
            "http://a:1: it failed",
            hint,
        )
        assert advice_in(f"it failed: {hint}") == hint
        assert with_advice(f"it failed: {hint}", "see") == (f"it failed: {hint}", "see")
        assert not advice_in(f"{hint}, and more")


def test_every_trouble_with_a_server_has_a_remedy_and_none_is_left_over() -> None:
    troubles = [trouble.value for trouble in Trouble if trouble]

    assert troubles == [key for key, *_ in CONNECTION]
    assert set(troubles) <= REMEDIES.keys()


def test_no_two_remedies_say_the_same() -> None:
    assert len({entry.hint for entry in REMEDIES.values()}) == len(REMEDIES)
    assert len({entry.title for entry in REMEDIES.values()}) == len(REMEDIES)
