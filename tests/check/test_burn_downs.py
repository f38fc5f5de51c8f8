"""The burn-downs of a status: nice to have, so that nothing depends on them."""

from datetime import timedelta
from typing import Any

import pytest

from gate.check.options import Options
from gate.check.run import run_status
from gate.decision.status import PolicyStatus, status_document
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo
from tests.analysis.telling import Telling
from tests.reporters.reports import MONEY, STORY


def only(backend: Telling | Memory, *slos: str, with_burn_downs: bool = True) -> PolicyStatus:
    opening = Opening({"chat": backend})
    found = run_status(
        [file("chat", *slos)], Options(at=AT), with_burn_downs=with_burn_downs, open_with=opening
    )
    (policy,) = found.policies
    return policy


def test_each_measured_budget_comes_down_to_what_is_left() -> None:
    backend = Telling(STORY)
    found = only(backend, slo("outage"), slo("calm")).burn_downs

    assert backend.rounds == 1
    assert {name: len(one.left) for name, one in found.items()} == {"outage": 20, "calm": 20}
    # The outage of nine days ago, of 144, is in the 14th step of 36 hours; see STORY. Before the
    # month all went well.
    assert found["outage"].left[12] == pytest.approx(1 - 28.8 / 2592)
    assert found["outage"].left[14] == pytest.approx(1 - 172.8 / 2592)
    assert found["outage"].left[19] == pytest.approx(1 - 388.8 / 2592)


def test_what_has_no_history_has_none_and_the_status_stands() -> None:
    found = only(Telling(STORY), slo("outage"), slo("nobody"), MONEY)

    assert list(found.burn_downs) == ["outage"]
    assert len(found.assessments) == 3


def test_nothing_is_asked_where_nothing_was_measured() -> None:
    backend = Telling({})

    assert only(backend, slo("nobody")).burn_downs == {}
    assert backend.rounds == 0


def test_a_backend_without_a_history_shows_none() -> None:
    assert only(Memory({"a": counts(1e6, 1)}), slo("a")).burn_downs == {}


def test_it_can_be_left_out() -> None:
    backend = Telling(STORY)

    assert only(backend, slo("outage"), with_burn_downs=False).burn_downs == {}
    assert backend.rounds == 0


def test_the_patience_for_it_is_short() -> None:
    opening = Opening({"chat": Telling(STORY)})

    run_status([file("chat", slo("calm"))], Options(at=AT), with_burn_downs=True, open_with=opening)

    assert [limits.timeout for _, limits in opening.opened] == [
        timedelta(seconds=60),
        timedelta(seconds=10),
    ]


def test_the_document_has_the_burn_down_of_each_slo() -> None:
    opening = Opening({"chat": Telling(STORY)})
    policy = file("chat", slo("outage"), slo("nobody"))
    found = run_status([policy], Options(at=AT), with_burn_downs=True, open_with=opening)
    document: dict[str, Any] = status_document(found)
    (known,) = document["policies"]
    outage, nobody = (one["burn_down"] for one in known["slos"])

    assert (outage["start"], outage["step_seconds"]) == ("2026-10-02T00:00:00Z", 36 * 3600)
    assert (outage["full"], outage["left"][0]) == (pytest.approx(1), pytest.approx(1))
    assert outage["left"][-1] == pytest.approx(1 - 388.8 / 2592)
    assert nobody is None
