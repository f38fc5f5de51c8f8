"""Gathering a report: one history of everything, and what is made of it."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.analysis.report import Report, ServiceReport, report_document
from gate.analysis.report.run import gather_report
from gate.check.options import Options
from gate.errors import ExitCode, UsageError
from gate.policy.findings import Verdict
from gate.policy.rule_settings import PostmortemRule
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo
from tests.analysis.telling import DAY, Telling
from tests.reporters.reports import BEGAN, MONEY, STORY, made, search


def only(found: Report) -> ServiceReport:
    (service,) = found.services
    return service


def written(found: Report) -> dict[str, Any]:
    document: dict[str, Any] = report_document(found)
    return document


def test_budgets_courses_and_incidents_come_from_the_same_truth() -> None:
    # Of 2,592,000 events 2,592 may fail; 144, 216 and 28.8 did (see STORY).
    service = only(made(file("chat", slo("outage"))))
    (known,) = service.assessments
    trace = service.traces["outage"]
    felt = [one for row in service.incidents.annotated for one in row.incident.impacts]

    assert known.remaining is not None
    assert float(known.remaining) == pytest.approx(1 - 388.8 / 2592)
    at, left = trace.left[-1]
    assert (at, left) == (AT, float(known.remaining))
    assert [one.share for one in felt] == pytest.approx([144 / 2592, 216 / 2592])
    assert [one.incident.start for one in felt] == [BEGAN, AT - 3 * DAY]
    assert sum(one.bad or 0 for one in trace.stretches) == pytest.approx(388.8)


def test_each_series_is_requested_once_and_all_of_them_together() -> None:
    backend = Telling(STORY)
    policy = file("chat", slo("outage"), slo("calm"))

    gather_report([policy], Options(at=AT), search(), open_with=Opening({"chat": backend}))

    # What is left at an instant needs its window, so that a month of it takes two.
    assert backend.rounds == 1
    # All about one SLO comes before the next, so that its points can be let go of.
    assert [one.sli.bad for one in backend.asked] == ["outage", "outage", "calm", "calm"]
    assert [(one.span.end, one.span.length, one.step) for one in backend.asked] == [
        (AT, 31 * DAY, search().step),
        (AT, 60 * DAY, timedelta(hours=1)),
    ] * 2


def test_deploys_of_the_service_and_of_the_examined_time_are_reported() -> None:
    service = only(made(file("chat", slo("calm"))))

    assert [one.revision for one in service.deploys] == ["abc1234", "def5678"]


def test_what_each_class_may_do_is_reported_where_no_change_is_asked_about() -> None:
    found = made(file("chat", slo("outage")))
    service = only(found)

    assert found.decision is None
    assert set(service.outlook) == service.policy.change_classes
    assert {one.verdict for one in service.outlook.values()} == {Verdict.ALLOW}


def test_a_change_that_is_asked_about_is_decided_on() -> None:
    found = made(file("chat", slo("outage")), change="canary")
    decided = only(found).decided

    assert found.decision is not None
    assert decided is not None
    assert (decided.change_class, decided.verdict) == ("canary", Verdict.ALLOW)
    assert found.exit_code is ExitCode.ALLOW


def test_an_unknown_change_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"^chat.yaml has no change class 'canari'"):
        made(file("chat", slo("outage")), change="canari")


def test_what_has_no_data_is_undecided_and_the_rest_is_told() -> None:
    found = made(file("chat", slo("outage"), slo("nobody")))
    service = only(found)

    assert found.exit_code is ExitCode.UNDECIDED
    assert list(service.traces) == ["outage"]
    assert [one.slo for one in service.incidents.slos if one.unmeasured] == ["nobody"]


def test_a_backend_without_a_history_is_undecided_and_its_budgets_are_reported() -> None:
    backend = Memory({"a": counts(1e6, 100)})
    found = gather_report(
        [file("chat", slo("a"))], Options(at=AT), search(), open_with=Opening({"chat": backend})
    )
    service = only(found)
    (lost,) = service.incidents.slos

    assert found.exit_code is ExitCode.UNDECIDED
    assert lost.unmeasured is not None
    assert lost.unmeasured.reason == "the backend keeps no history to look at"
    assert service.assessments[0].measured


def test_without_a_history_rules_that_look_back_say_so_of_every_class() -> None:
    backend = Memory({"a": counts(1e6, 100)})
    looking = file("chat", slo("a"), more="control_charts: {effect: block}\n")

    found = gather_report([looking], Options(at=AT), search(), open_with=Opening({"chat": backend}))

    said = only(found).outlook["canary"]
    assert said.verdict is Verdict.UNDECIDED
    assert ["this backend keeps no history" in each.reason for each in said.findings][:1] == [True]


def test_a_budget_that_is_not_measured_is_undecided_whatever_is_known_of_others() -> None:
    found = made(file("chat", slo("calm"), MONEY))

    calm, money = found.incidents.services[0].slos
    assert calm.unmeasured is None
    assert money.unmeasured is not None
    assert found.exit_code is ExitCode.UNDECIDED


def test_each_service_is_reported_by_itself() -> None:
    found = made(file("chat", slo("outage")), file("mail", slo("calm")))

    assert [one.policy.service for one in found.services] == ["chat", "mail"]
    assert [one.incidents.reliability.count for one in found.services] == [2, 0]
    assert found.incidents.services == tuple(one.incidents for one in found.services)


def test_cohorts_are_reported_where_they_were_requested() -> None:
    found = made(file("chat", slo("outage")), by="template")
    lost = made(file("chat", slo("outage"), slo("nobody")), by="template")
    document = written(found)

    assert found.cohorts is not None
    assert [one.value for one in found.cohorts.services[0].slos[0].groups] == ["v7", "v6"]
    assert document["cohorts"]["by"] == "template"
    assert (found.exit_code, lost.exit_code) == (ExitCode.ALLOW, ExitCode.UNDECIDED)
    assert made(file("chat", slo("outage"))).cohorts is None


def test_what_is_predicted_is_what_the_same_history_says_of_the_past() -> None:
    # Nine days ago 144 failed, 216 three days ago, 28.8 twenty: of 2,592 that may.
    (foretold,) = only(made(file("chat", slo("outage")))).forecast.slos
    calm = list(foretold.assessment.recovering())

    by_day = {at: float(left) for at, left in calm}
    assert by_day[AT + 11 * DAY] == pytest.approx(1 - 360 / 2592)
    assert by_day[AT + 22 * DAY] == pytest.approx(1 - 216 / 2592)
    assert by_day[AT + 28 * DAY] == pytest.approx(1)


def test_rules_that_look_back_decide_on_each_class() -> None:
    plain = file("chat", slo("outage"))
    rule = PostmortemRule(
        share=Fraction(5, 100), threshold=Fraction(6), patterns=("none",), records=()
    )
    policy = replace(plain.policy, postmortems=rule)
    service = only(made(replace(plain, policy=policy)))

    assert service.outlook["canary"].verdict is Verdict.BLOCK
    assert service.outlook["rollback"].verdict is Verdict.ALLOW


def test_the_document_shows_what_the_pictures_show() -> None:
    found = made(file("chat", slo("outage"), slo("nobody")), change="canary")
    document = written(found)
    (service,) = document["services"]
    first, second = service["slos"]
    trace = first["trace"]

    assert document["exit_code"] == 3
    assert document["decision"]["verdict"] == "undecided"
    assert trace["remaining"][-1] == ("2026-11-01T00:00:00Z", pytest.approx(1 - 388.8 / 2592))
    assert sum(one["bad"] for one in trace["intervals"]) == pytest.approx(388.8)
    assert second["trace"] is None
    blocked = next(one for one in service["changes"] if one["change_class"] == "canary")
    assert (blocked["verdict"], blocked["reasons"]) == ("undecided", ["there is nothing"])
    assert [one["revision"] for one in service["deploys"]] == ["abc1234", "def5678"]
    assert document["incidents"]["services"][0]["count"] == 2


def test_the_document_of_a_calm_service_has_no_decision_and_no_hole() -> None:
    document = written(made(file("chat", slo("calm"))))
    (service,) = document["services"]

    assert (document["exit_code"], document["decision"]) == (0, None)
    assert service["slos"][0]["trace"]["unknown_intervals"] == []
    assert {one["allowed_again_at"] for one in service["changes"]} == {None}


def test_a_hole_is_in_the_document() -> None:
    document = written(made(file("chat", slo("gap"))))
    (service,) = document["services"]

    assert service["slos"][0]["trace"]["unknown_intervals"] == [
        {"from": "2026-10-25T00:00:00Z", "to": "2026-10-27T00:00:00Z"}
    ]
