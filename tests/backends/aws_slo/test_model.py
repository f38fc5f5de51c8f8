"""Requests and answers are held against botocore's own model of Application Signals.

botocore writes the same requests, accepts what the fake answers, and reads the same numbers in it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
import pytest
from botocore.config import Config
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from gate.backends.aws_slo.client import MOST_REPORTS
from gate.backends.aws_slo.settings import host_of
from tests.backends.aws_slo.asked import AT, NAME, ask, events, share
from tests.backends.loopback import serving
from tests.servers.application_signals import REGION, ApplicationSignals, FakeSlo, monthly, rolling

MODEL = ServiceModel(Loader().load_service_model("application-signals", "service-2"))
OPERATIONS = {
    "/slos": "ListServiceLevelObjectives",
    "/budget-report": "BatchGetServiceLevelObjectiveBudgetReport",
}


def operation(path: str) -> Any:
    name = OPERATIONS.get(path, "GetServiceLevelObjective")
    last = path.endswith("/exclusion-windows")
    return MODEL.operation_model("ListServiceLevelObjectiveExclusionWindows" if last else name)


def parameters(path: str, query: dict[str, str], body: Any) -> dict[str, Any]:
    """Return a request that the gate sent, as a program that uses botocore would write it."""
    given: dict[str, Any] = {**(body or {}), **query}
    if path not in OPERATIONS:
        given["Id"] = unquote(path.split("/")[2])
    if "MaxResults" in given:
        given["MaxResults"] = int(given["MaxResults"])
    if "IncludeLinkedAccounts" in given:
        given["IncludeLinkedAccounts"] = given["IncludeLinkedAccounts"] == "true"
    return given


def service() -> ApplicationSignals:
    window = {"Window": {"DurationUnit": "HOUR", "Duration": 2}, "StartTime": AT.timestamp() - 9}
    rule = {"RecurrenceRule": {"Expression": "rate(1 day)"}, "Reason": "nightly work"}
    begin = datetime(2025, 12, 2, tzinfo=UTC)
    return ApplicationSignals(
        [
            FakeSlo(name=NAME, events=events(29), exclusions=[window | rule]),
            FakeSlo(name="p.a_r-t s", requests=False, events=events(9), account="210987654321"),
            FakeSlo(name="month", goal=monthly(begin), events=events(3)),
            FakeSlo(name="default", goal={}, requests=False, events=events(3)),
            *(FakeSlo(name=f"slo {n}", goal=rolling(1), events=events(1)) for n in range(60)),
        ]
    )


@pytest.fixture(scope="module")
def asked() -> ApplicationSignals:
    """Return a service that the gate has asked for all of its SLOs."""
    own = service()
    answers = [*ask(own, linked_accounts=True), *ask(own, NAME)]
    assert all(share(answer) for answer in answers)
    return own


def test_every_request_is_one_that_the_model_allows(asked: ApplicationSignals) -> None:
    kinds = set()
    for method, path, query, body in asked.log:
        model = operation(path)
        report = ParamValidator().validate(parameters(path, query, body), model.input_shape)
        kinds.add(model.name)

        assert not report.has_errors(), report.generate_report()
        assert model.http["method"] == method
        for member in model.input_shape.members:  # of which ParamValidator looks at the types only
            limits = model.input_shape.members[member].metadata
            value = parameters(path, query, body).get(member)
            if isinstance(value, int) and "max" in limits:
                assert limits["min"] <= value <= limits["max"]
            if isinstance(value, list):
                assert limits["min"] <= len(value) <= limits["max"] == MOST_REPORTS
    assert len(kinds) == 4


def test_botocore_writes_the_same_requests(asked: ApplicationSignals) -> None:
    serializer = create_serializer("rest-json")
    for method, path, query, body in asked.log:
        written = serializer.serialize_to_request(parameters(path, query, body), operation(path))
        address = urlsplit(written["url_path"])
        named = {**written["query_string"], **parse_qs(address.query)}
        texts = {key: str(value).lower() for key, value in named.items()}

        assert (written["method"], address.path) == (method, path)
        assert texts == {key: value.lower() for key, value in query.items()}
        assert json.loads(written["body"] or "null") == (
            body or json.loads(written["body"] or "null")
        )


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Yield botocore's own client of the fake."""
    with serving(service()) as port:
        yield botocore.session.get_session().create_client(
            "application-signals",
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="AKIA",
            aws_secret_access_key="secret",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )


def test_botocores_client_reads_in_the_fake_what_happened(client: Any) -> None:
    pages = client.get_paginator("list_service_level_objectives").paginate()
    names = [slo["Name"] for page in pages for slo in page["SloSummaries"]]
    slo = client.get_service_level_objective(Id=NAME)["Slo"]
    windows = client.list_service_level_objective_exclusion_windows(Id=slo["Arn"])
    answer = client.batch_get_service_level_objective_budget_report(
        Timestamp=AT, SloIds=[slo["Arn"], "not there"]
    )
    (report,), (error,) = answer["Reports"], answer["Errors"]

    assert len(names) == 63  # without the linked account
    assert slo["Goal"]["Interval"]["RollingInterval"] == {"DurationUnit": "DAY", "Duration": 30}
    assert slo["CreatedTime"] == datetime(2025, 1, 1, tzinfo=UTC)
    assert windows["ExclusionWindows"][0]["StartTime"] == AT - timedelta(seconds=9)
    assert answer["Timestamp"] == AT
    assert (report["TotalBudgetRequests"], report["BudgetRequestsRemaining"]) == (720, 691)
    assert report["BudgetStatus"] == "OK"
    assert error["Name"] == "not there"


def test_botocores_client_takes_the_fakes_refusals_for_those_of_the_service(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_service_level_objective(Id="not there")


def test_every_answer_of_the_fake_is_whole_by_the_model() -> None:
    """Every member that the model requires is present, and botocore's parser drops nothing."""
    own = service()
    parser = create_parser("rest-json")
    for path in ("/slos", "/budget-report", "/slo/month", "/slo/default/exclusion-windows"):
        body = {"Timestamp": AT.timestamp(), "SloIds": [NAME, "p.a_r-t s", "month", "default"]}
        answer = own._answer(path, {}, body)
        shape = operation(path).output_shape
        raw = {"status_code": 200, "headers": {}, "body": json.dumps(answer).encode()}
        parsed = parser.parse(raw, shape)
        report = ParamValidator().validate(answer, shape)

        assert not report.has_errors(), report.generate_report()
        assert parsed.keys() - {"ResponseMetadata"} == answer.keys()


@pytest.mark.parametrize("fips", [False, True])
def test_every_region_has_the_host_that_botocores_rules_give(fips: bool) -> None:
    loader = Loader()
    rules = loader.load_service_model("application-signals", "endpoint-rule-set-1")
    partitions = loader.load_data("partitions")
    provider = EndpointProvider(rules, partitions)
    regions = [
        region
        for partition in partitions["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    ]
    for region in [*regions, "eu-north-9", "us-gov-north-2", "cn-south-5"]:
        endpoint = provider.resolve_endpoint(Region=region, UseFIPS=fips)

        assert endpoint.url == f"https://{host_of(region, fips)}"
    assert len(regions) > 40
