"""The ways in which Kibana says yes, or nothing, without having measured. None may pass."""

import json
from datetime import timedelta
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from gate.measure import Cause, Counts, Evidence, Granted, Share, Unmeasured
from tests.backends.elastic.asking import answer, backend, definition, measure, refused, request
from tests.backends.elastic_cases import ID, events, failing, sliced, slo, summing
from tests.backends.loopback import Handle, send
from tests.backends.prometheus.played import AT
from tests.servers.elastic import Kibana, KibanaSlo


def kibana(*slos: KibanaSlo, **attributes: Any) -> Kibana:
    return Kibana(list(slos) or [slo()], now=AT, **attributes)


def evidence(found: object) -> Evidence:
    assert isinstance(found, Counts | Share), found
    return found.evidence


# The way


def test_every_request_has_the_header_without_which_kibana_refuses() -> None:
    seen = list[tuple[str, str | None, str | None]]()
    healthy = kibana()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = handler.headers
        seen.append((handler.command, headers["kbn-xsrf"], headers["Authorization"]))
        healthy(handler, body)

    answer(handle)

    assert seen == [
        ("GET", "true", "ApiKey k3y-of-kibana"),
        ("POST", "true", "ApiKey k3y-of-kibana"),
    ]


def test_a_proxy_that_removes_this_header_is_distinguished() -> None:
    healthy = kibana()

    def strip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        del handler.headers["kbn-xsrf"]
        healthy(handler, body)

    no = refused(strip)

    assert no.cause is Cause.BACKEND_ERROR
    assert "Request must contain a kbn-xsrf header" in no.reason
    assert "see whether a proxy removes the header kbn-xsrf" in no.reason


def test_a_login_page_is_not_an_answer() -> None:
    page: Handle = lambda handler, _: send(  # noqa: E731
        handler, b"<!DOCTYPE html><title>Elastic</title>", headers={"Content-Type": "text/html"}
    )
    no = refused(page)

    assert no.cause is Cause.BACKEND_ERROR
    assert "an HTML page (200)" in no.reason


def test_a_licence_that_has_no_slos_is_reported() -> None:
    no = refused(kibana(licensed=False))

    assert no.cause is Cause.BACKEND_ERROR
    assert "403 Forbidden: Platinum license or higher is needed" in no.reason
    assert "SLOs need a Platinum licence" in no.reason


def test_another_key_is_refused() -> None:
    no = refused(kibana(api_key="another"))

    assert "401 Unauthorized" in no.reason
    assert "set backend.api_key" in no.reason


def test_another_space_is_reported() -> None:
    no = refused(kibana(space="payments"), space="checkout")

    assert no.cause is Cause.BACKEND_ERROR
    assert "404 Not Found" in no.reason
    assert "/s/checkout" in no.reason
    assert "check backend.url and backend.space" in no.reason


def test_the_space_that_has_the_slo_is_asked() -> None:
    there = kibana(space="payments")

    assert isinstance(answer(there, space="payments"), Counts)
    assert there.requests == [
        "GET /s/payments/api/observability/slos",
        "POST /s/payments/api/observability/slos/_bulk_snapshot",
    ]


# Which SLO


def test_a_name_must_match_exactly() -> None:
    longer = kibana(slo(name="Chat availability EU"), slo(id="other-one", name="chat availability"))
    no = definition(longer)

    assert isinstance(no, Unmeasured)
    assert no.cause is Cause.NO_DATA


def test_an_id_is_found_too_and_goes_before_a_name() -> None:
    named = kibana(slo(), slo(id="named-like-one", name=ID, events={"*": events(1, 1)}))
    (found,) = measure(named, request(ID))

    assert isinstance(found, Counts)
    assert found.total == 900_000
    assert evidence(found).definition is not None


def test_several_slos_of_one_name_are_listed_by_id() -> None:
    many = kibana(*(slo(id=f"chat-number-{number}") for number in range(7)))
    no = refused(many)

    assert no.cause is Cause.INVALID
    assert "7 SLOs of this space of Kibana have the name" in no.reason
    assert "chat-number-0, chat-number-1" in no.reason
    assert "and 2 more" in no.reason


@pytest.mark.parametrize(
    "name", ['Says "hi"', "back\\slash", "a or slo.name: *", "ümläut", "a(b)*"]
)
def test_a_name_is_requested_as_it_is(name: str) -> None:
    (found,) = measure(kibana(slo(name=name), slo(id="other-one")), request(name))

    assert isinstance(found, Counts)


def test_an_slo_of_another_cluster_is_not_counted_here() -> None:
    remote = {"remoteName": "eu-west", "kibanaUrl": "https://eu.example"}
    no = refused(kibana(slo(more={"remote": remote})))

    assert no.cause is Cause.INVALID
    assert "kept by another cluster (eu-west)" in no.reason


def test_a_disabled_slo_is_stale_however_good_its_numbers_are() -> None:
    no = refused(kibana(slo(enabled=False)))

    assert no.cause is Cause.STALE
    assert "disabled" in no.reason


# Groups


def grouped(**more: Any) -> KibanaSlo:
    split = {"*": [], "eu": events(999.5, 1000), "us": events(500, 1000)}
    return slo(group_by="cloud.region", events=split, **more)


def test_an_slo_with_groups_has_a_budget_for_each_and_is_not_summed() -> None:
    no = refused(kibana(grouped()))

    assert no.cause is Cause.INVALID
    assert "a budget for each cloud.region" in no.reason
    assert "as sli.group: eu, us; " in no.reason


def test_one_group_is_counted_alone() -> None:
    eu, us = measure(kibana(grouped()), request(group="eu"), request(group="us"))

    assert isinstance(eu, Counts)
    assert isinstance(us, Counts)
    assert eu.bad == 720 * Fraction("0.5")
    assert us.bad == 720 * 500


def test_a_group_that_is_missing_is_no_data_and_not_good() -> None:
    no = refused(kibana(grouped()), request(group="asia"))

    assert no.cause is Cause.NO_DATA
    assert 'nothing for cloud.region "asia"; it has eu, us' in no.reason


def test_a_group_that_nobody_has_yet_says_so() -> None:
    no = refused(kibana(slo(group_by=["a", "b"])), request(group="x"))

    assert no.cause is Cause.NO_DATA
    assert "it has none yet; " in no.reason


def test_a_group_of_an_slo_without_groups_is_a_mistake() -> None:
    no = refused(kibana(), request(group="eu"))

    assert no.cause is Cause.INVALID
    assert "is not grouped; remove group: eu" in no.reason


# Numbers


def test_no_data_is_no_data_although_its_budget_is_whole() -> None:
    no = refused(kibana(slo(events={"*": []})))

    assert no.cause is Cause.NO_DATA


@pytest.mark.parametrize("status", ["HEALTHY", "NO_DATA"])
def test_no_timeslice_with_data_is_no_data_although_kibana_may_call_it_healthy(
    status: str,
) -> None:
    filled = kibana(slo(timeslice="5m", events={"*": []}), filled=status == "HEALTHY")
    no = refused(filled)

    assert no.cause is Cause.NO_DATA
    assert "no timeslices with data" in no.reason


def test_no_data_beside_numbers_is_a_contradiction() -> None:
    no = refused(kibana(spoil=summing(status="NO_DATA")))

    assert no.cause is Cause.INVALID
    assert "NO_DATA and counts 900,000" in no.reason


@pytest.mark.parametrize("consumed", [None, 0, 0.0, 1, -5])
def test_what_kibana_says_of_the_budget_is_never_used(consumed: float | None) -> None:
    budget = {"initial": 0.001, "consumed": consumed, "remaining": consumed}
    found = answer(kibana(spoil=summing(errorBudget=budget, sliValue=1.0)))

    assert isinstance(found, Counts)
    assert found.bad == 90
    assert found.total == 900_000


def test_a_budget_that_is_clamped_at_zero_is_worked_out_below_it() -> None:
    """5% of the events fail, 50 times what 99.9% allows; an older Kibana says that 0 is left."""
    spent = slo(events={"*": events(950, 1000)})
    new, old = answer(kibana(spent)), answer(kibana(spent, snapshots=False))

    assert isinstance(new, Counts)
    assert isinstance(old, Share)
    assert new.bad / new.total == old.bad == Fraction(5, 100)


@pytest.mark.parametrize("missing", ["good", "total", "status"])
def test_a_field_that_is_absent_is_not_zero(missing: str) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        for result in body["results"] if kind == "snapshot" else ():
            del result["summary"][missing]
        return body

    assert refused(kibana(spoil=spoil)).cause is Cause.INVALID


@pytest.mark.parametrize("results", [None, {}, "", [], [None], [{"id": "other-one"}]])
def test_an_answer_without_the_slo_is_not_good(results: object) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return body if kind == "find" else {**body, "results": results}

    assert refused(kibana(spoil=spoil)).cause is Cause.INVALID


def test_two_results_for_one_slo_are_not_chosen_from() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return body if kind == "find" else {**body, "results": body["results"] * 2}

    no = refused(kibana(spoil=spoil))

    assert no.cause is Cause.INVALID
    assert "has 2 results for it" in no.reason


def test_a_result_without_summary_and_error_is_not_good() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        for result in body["results"] if kind == "snapshot" else ():
            del result["summary"]
        return body

    assert refused(kibana(spoil=spoil)).cause is Cause.INVALID


@pytest.mark.parametrize(
    "at", ["2026-01-01T00:01:00.000Z", "2025-12-31T00:00:00.000Z", None, 0, ""]
)
def test_an_answer_for_another_instant_is_not_taken(at: object) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return body if kind == "find" else {**body, "at": at}

    no = refused(kibana(spoil=spoil))

    assert no.cause is Cause.INVALID
    assert "is not about 2026-01-01T00:00:00.000Z" in no.reason


@pytest.mark.parametrize(
    ("status", "cause"),
    [(404, Cause.NO_DATA), (500, Cause.BACKEND_ERROR), (403, Cause.BACKEND_ERROR)],
)
def test_an_error_within_a_good_answer_is_one(status: int, cause: Cause) -> None:
    no = refused(kibana(spoil=failing(status, "shard 3 of k3y-of-kibana failed")))

    assert no.cause is cause
    assert f"Kibana answers {status}: shard 3 of *** failed" in no.reason


def test_one_slo_that_fails_takes_no_other_along() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "snapshot":
            del body["results"][1]["summary"]
            body["results"][1]["error"] = {"statusCode": 500, "message": "no"}
        return body

    slos = [slo(id=f"chat-number-{number}", name=f"chat {number}") for number in range(3)]
    answers = measure(kibana(*slos, spoil=spoil), *(request(each.name) for each in slos))

    assert [isinstance(each, Counts) for each in answers] == [True, False, True]


# How new


def test_a_summary_that_is_no_longer_written_is_as_old_as_it_is() -> None:
    stopped = AT - timedelta(hours=9)
    found = answer(kibana(slo(updated={"*": stopped.isoformat()})))

    assert evidence(found).newest == stopped


def test_a_summary_of_unknown_age_is_not_called_new() -> None:
    assert evidence(answer(kibana(slo(updated={"*": None})))).newest is None


@pytest.mark.parametrize("updated", ["", "yesterday", "2025-12-31T00:00:00", 5, True, [], {}])
def test_an_age_that_cannot_be_read_is_invalid(updated: Any) -> None:
    assert refused(kibana(slo(updated={"*": updated}))).cause is Cause.INVALID


@pytest.mark.parametrize("summary", [None, [], "x"])
def test_a_listed_summary_of_another_form_is_invalid(summary: object) -> None:
    assert refused(kibana(slo(more={"summary": summary}))).cause is Cause.INVALID


def test_of_the_past_nothing_is_newer_than_the_instant() -> None:
    past = AT - timedelta(days=3)
    found = answer(kibana(), at=past)

    assert evidence(found).newest == past


# Timeslices


def test_timeslices_are_seconds_of_known_time_and_say_how_much_is_missing() -> None:
    found = answer(kibana(sliced(700)))

    assert isinstance(found, Counts)
    assert found.bad == 0
    assert found.total == 700 * 3600
    seen = evidence(found)
    assert seen.granted is Granted.SECONDS
    assert seen.coverage == Fraction(700, 720)
    assert [note for note in seen.notes if "20 of 720 slices of 1h have no data" in note]


def test_bad_timeslices_are_bad_as_a_whole() -> None:
    hours = [*events(1000, 1000, 690), *[(at, 10, 1000) for at, _, _ in events(1, 1)[690:]]]
    found = answer(kibana(slo(timeslice="1h", events={"*": hours})))

    assert isinstance(found, Counts)
    assert found.bad == 30 * 3600
    assert found.total == 720 * 3600


# An older Kibana


def test_an_older_kibana_tells_a_share_with_its_rounding() -> None:
    old = kibana(snapshots=False)
    found = answer(old)

    assert isinstance(found, Share)
    assert found.bad == Fraction(1, 10_000)
    assert found.error == Fraction(1, 2_000_000)
    assert evidence(found).newest == AT - timedelta(minutes=1)
    assert old.requests[-1] == f"GET /api/observability/slos/{ID}"


def test_an_older_kibana_is_not_asked_about_the_past() -> None:
    old = kibana(snapshots=False)
    no = refused(old, at=AT - timedelta(hours=1))

    assert no.cause is Cause.INVALID
    assert "only answers for the present" in no.reason
    assert f"GET /api/observability/slos/{ID}" not in old.requests


def test_a_share_that_counts_silent_timeslices_as_good_is_partial() -> None:
    found = answer(kibana(sliced(), snapshots=False, filled=True))

    assert isinstance(found, Share)
    assert "slices without data for good" in evidence(found).warnings[0]


def test_silence_alone_is_not_a_whole_answer_of_an_older_kibana() -> None:
    silent = kibana(slo(timeslice="1h", events={"*": []}), snapshots=False, filled=True)
    found = answer(silent)

    assert isinstance(found, Share)
    assert found.bad == 0
    assert evidence(found).warnings


def test_the_ratio_of_a_period_that_goes_on_is_not_read_from_an_older_kibana() -> None:
    monthly = slo(timeslice="1h", kind="calendarAligned", duration="1M")
    no = refused(kibana(monthly, snapshots=False, filled=True))

    assert no.cause is Cause.NO_DATA
    assert "update Kibana" in no.reason


@pytest.mark.parametrize("ratio", [1.5, -0.5, None, "0.99", True, float("nan"), float("inf")])
def test_a_ratio_that_is_none_is_not_read_from_an_older_kibana(ratio: object) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "get":
            body["summary"]["sliValue"] = ratio
        return body

    assert refused(kibana(snapshots=False, spoil=spoil)).cause is Cause.INVALID


@pytest.mark.parametrize("summary", [None, [], {}, {"sliValue": 1}])
def test_a_summary_that_is_none_is_not_read_from_an_older_kibana(summary: object) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return {**body, "summary": summary} if kind == "get" else body

    assert refused(kibana(snapshots=False, spoil=spoil)).cause is Cause.INVALID


def test_no_data_of_an_older_kibana_is_no_data() -> None:
    no = refused(kibana(slo(events={"*": []}), snapshots=False))

    assert no.cause is Cause.NO_DATA


def test_another_slo_than_was_requested_is_not_taken() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return {**body, "id": "other-one"} if kind == "get" else body

    assert refused(kibana(snapshots=False, spoil=spoil)).cause is Cause.INVALID


def test_an_slo_that_is_gone_meanwhile_is_reported_by_an_older_kibana() -> None:
    old = kibana(snapshots=False)

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if handler.command == "POST":
            old.slos = []
        old(handler, body)

    no = refused(handle)

    assert no.cause is Cause.BACKEND_ERROR
    assert "404" in no.reason


# The list


@pytest.mark.parametrize(
    "body",
    [{}, {"total": 1}, {"results": []}, {"total": "1", "results": []}, {"total": 1, "results": {}}],
)
def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_one(body: object) -> None:
    def handle(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        send(handler, json.dumps(body).encode())

    no = refused(handle)

    assert no.cause is Cause.BACKEND_ERROR
    assert "the list of SLOs" in no.reason


def test_a_list_of_which_a_page_is_missing_is_an_error() -> None:
    """Kibana answers an empty page where Elasticsearch has failed."""

    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "find":
            body["total"] = 3000
            body["results"] = body["results"] if body["page"] == 1 else []
        return body

    no = refused(kibana(spoil=spoil))

    assert no.cause is Cause.BACKEND_ERROR
    assert "of 3000 SLOs and instances only a part is listed" in no.reason


@pytest.mark.parametrize("total", [9001, 10**12])
def test_a_list_that_kibana_cannot_show_as_a_whole_is_an_error(total: int) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        return {**body, "total": total} if kind == "find" else body

    there = kibana(spoil=spoil)
    no = refused(there)

    assert no.cause is Cause.BACKEND_ERROR
    assert f"{total} SLOs and groups match these names" in no.reason
    assert len(there.requests) == 1


@pytest.mark.parametrize("name", [None, [], {}, 5, ["Chat availability"]])
def test_an_entry_without_a_name_is_another_slo(name: object) -> None:
    no = refused(kibana(slo(more={"name": name})))

    assert no.cause is Cause.NO_DATA


def finding(**changes: Any) -> Kibana:
    """Return a Kibana whose list has other fields."""
    return kibana(spoil=lambda kind, body: {**body, **changes} if kind == "find" else body)


@pytest.mark.parametrize("changes", [{"total": 2}, {"page": 2}, {"page": "1"}, {"total": True}])
def test_a_list_that_is_not_whole_is_an_error(changes: dict[str, Any]) -> None:
    """Another SLO of the same name may be on the part that is missing."""
    assert refused(finding(**changes)).cause is Cause.BACKEND_ERROR


def test_a_page_that_a_cache_repeats_is_not_mistaken_for_the_next() -> None:
    entry = {"page": 1, "total": 1002}

    def spoil(kind: str, body: dict[str, Any]) -> object:
        return {**body, **entry, "results": body["results"] * 501} if kind == "find" else body

    assert refused(kibana(spoil=spoil)).cause is Cause.BACKEND_ERROR


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"objective": {"target": 0.5}},
        {"timeWindow": {"duration": "7d", "type": "rolling"}},
        {"budgetingMethod": "timeslices"},
        {"groupBy": "host.name"},
    ],
)
def test_an_slo_that_is_listed_in_two_ways_is_invalid(change: dict[str, Any]) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "find":
            body["results"] += [body["results"][0] | change]
            body["total"] = 2
        return body

    no = refused(kibana(spoil=spoil))

    assert no.cause is Cause.INVALID
    assert f"with {next(iter(change))} not always the same" in no.reason


def test_an_slo_that_is_listed_twice_in_one_way_is_measured() -> None:
    """A page may repeat what a new SLO has moved from the page before."""

    def spoil(kind: str, body: dict[str, Any]) -> object:
        return {**body, "results": body["results"] * 2} if kind == "find" else body

    assert isinstance(answer(kibana(spoil=spoil)), Counts)


def test_a_page_that_is_refused_is_reported() -> None:
    healthy = kibana(spoil=lambda _, body: {**body, "total": 3000})

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if "page=2" in handler.path:
            send(handler, b"{}", status=403)
        else:
            healthy(handler, body)

    assert "403" in refused(handle).reason


def test_burn_rates_are_not_counted_and_never_calm() -> None:
    main, burn = measure(kibana(), request(), request(probe=False))

    assert isinstance(main, Counts)
    assert isinstance(burn, Unmeasured)
    assert burn.cause is Cause.NO_DATA
    assert "counts an SLO over its own window only" in burn.reason


def test_only_burn_rates_ask_kibana_for_no_numbers() -> None:
    there = kibana()
    with backend(there) as asking:
        asking.measure([request(probe=False)], AT)

    assert not there.bodies


@pytest.mark.parametrize(("good", "total"), [(2, 1), (-1, 1), (-2, -1), (1e-9, 0)])
def test_numbers_that_cannot_be_counts_are_not_taken(good: float, total: float) -> None:
    no = refused(kibana(spoil=summing(good=good, total=total)))

    assert no.cause is Cause.INVALID
    assert "cannot be a count" in no.reason


# What contradicts the counts


@pytest.mark.parametrize(
    "numbers",
    [
        {"status": "VIOLATED"},
        {"status": "healthy"},
        {"status": "STALE"},
        {"sliValue": 0.5},
        {"sliValue": 0.99988},
        {"sliValue": -1},
        {"sliValue": "1"},
        {"sliValue": True},
    ],
)
def test_counts_that_kibana_itself_denies_are_invalid(numbers: dict[str, Any]) -> None:
    assert refused(kibana(spoil=summing(**numbers))).cause is Cause.INVALID


@pytest.mark.parametrize(
    "numbers",
    [
        {"sliValue": 0.9999},
        {"sliValue": 0.999895},  # rounded
        {"sliValue": None},
        {"sliValue": 1},  # better than the counts, which are counted
        {"status": "DEGRADING"},
    ],
)
def test_counts_that_kibana_does_not_deny_are_measured(numbers: dict[str, Any]) -> None:
    found = answer(kibana(spoil=summing(**numbers)))

    assert isinstance(found, Counts)
    assert found.bad == 90


def test_a_violated_slo_is_measured_as_such() -> None:
    found = answer(kibana(slo(events={"*": events(950, 1000)})))

    assert isinstance(found, Counts)
    assert found.bad / found.total == Fraction(5, 100)


@pytest.mark.parametrize(("slices", "measured"), [(720, True), (722, True), (723, False)])
def test_more_timeslices_than_the_window_has_are_of_another_window(
    slices: int, measured: bool
) -> None:
    found = answer(kibana(sliced(), spoil=summing(good=slices, total=slices)))

    assert isinstance(found, Counts) is measured


@pytest.mark.parametrize(
    ("change", "summary"),
    [
        ({"instanceId": "other"}, {}),
        ({"instanceId": None}, {}),
        ({}, {"status": "VIOLATED", "sliValue": 1}),
        ({}, {"status": "STALE"}),
    ],
)
def test_an_older_kibana_that_contradicts_itself_is_invalid(
    change: dict[str, Any], summary: dict[str, Any]
) -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "get":
            body |= change
            body["summary"] |= summary
        return body

    assert refused(kibana(snapshots=False, spoil=spoil)).cause is Cause.INVALID


def test_an_older_kibana_need_not_name_the_only_instance() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "get":
            del body["instanceId"]
        return body

    assert isinstance(answer(kibana(snapshots=False, spoil=spoil)), Share)


def test_an_instance_that_an_older_kibana_does_not_name_is_invalid() -> None:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        if kind == "get":
            del body["instanceId"]
        return body

    grouped = slo(group_by="host.name", events={"a": events(1, 1), "b": events(1, 2)})

    assert (
        refused(kibana(grouped, snapshots=False, spoil=spoil), request(group="a")).cause
        is Cause.INVALID
    )
