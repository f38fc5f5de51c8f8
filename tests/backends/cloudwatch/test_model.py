"""The fake and the gate against what AWS publishes, botocore's model, and plain sums of moto."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.session import Session
from botocore.validate import ParamValidator

from gate.backends.cloudwatch.backend import CloudWatchBackend
from gate.backends.cloudwatch.client import CloudWatch
from gate.http import Clock
from gate.measure import Counts
from gate.slo.indicator import Sli
from tests.backends.cloudwatch.asking import (
    AT,
    CHAT,
    MONTH,
    TOTAL,
    answers,
    request,
    service,
    settings,
    whole,
)
from tests.backends.loopback import serving
from tests.servers.processes import free_port, missing, running

MOTO = Path(__file__).parents[3] / ".servers/moto/bin/moto_server"
REGION = "eu-central-1"
MODEL = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"))


@pytest.mark.parametrize(("name", "least"), [("GetMetricData", 4), ("ListMetrics", 2)])
def test_every_request_fits_the_model(name: str, least: int) -> None:
    fake = service(bad=0)
    fake.wrong.page, fake.wrong.metrics_page = 200, 1
    unknown = Sli(bad='Chat Errors{Service="a", Zone="1"}', total='Chat Requests{Service="b"}')
    answers(fake, [request(), request(unknown), request(length=timedelta(hours=1))])
    sent = fake.asked(name)
    shape = MODEL.operation_model(name).input_shape

    assert len(sent) >= least
    for body in sent:
        report = ParamValidator().validate(body, shape)
        assert not report.has_errors(), report.generate_report()
        for query in body.get("MetricDataQueries", ()):
            assert query["MetricStat"]["Period"] % 60 == 0


def client(url: str) -> Any:
    session = Session()
    session.set_credentials("key", "secret")
    return session.create_client(
        "cloudwatch",
        region_name="eu-central-1",
        endpoint_url=url,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def _json_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have botocore speak JSON, as the gate does, of the three protocols that it has."""
    load = Loader.load_service_model

    def loaded(self: Loader, service: str, kind: str, api_version: str | None = None) -> Any:
        model = load(self, service, kind, api_version)
        if service == "cloudwatch" and kind == "service-2":
            metadata = {**model["metadata"], "protocol": "json", "protocols": ["json"]}
            return {**model, "metadata": metadata}
        return model

    monkeypatch.setattr(Loader, "load_service_model", loaded)


@pytest.mark.usefixtures("_json_only")
def test_amazon_s_own_client_reads_what_the_fake_says() -> None:
    fake = service()
    fake.wrong.page = 100
    query = {
        "Id": "a",
        "MetricStat": {
            "Metric": {
                "Namespace": "Chat",
                "MetricName": "Requests",
                "Dimensions": [{"Name": "Service", "Value": "a"}],
            },
            "Period": 3600,
            "Stat": "Sum",
        },
    }
    with serving(fake) as port:
        aws = client(f"http://127.0.0.1:{port}")
        pages = list(
            aws.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[query], StartTime=AT - MONTH, EndTime=AT
            )
        )
        metrics = aws.list_metrics(Namespace="Chat")["Metrics"]
        fake.wrong.listing_denied = True
        with pytest.raises(aws.exceptions.ClientError) as error:
            aws.list_metrics()
    results = [result for page in pages for result in page["MetricDataResults"]]

    assert len(pages) == 8
    assert {result["StatusCode"] for result in results[:-1]} == {"PartialData"}
    assert results[-1]["StatusCode"] == "Complete"
    # The start is rounded down to five minutes, which has one event more.
    assert sum(sum(result["Values"]) for result in results) == 72_000
    assert {metric["MetricName"] for metric in metrics} == {"Requests", "Errors"}
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not MOTO.exists():
        missing("moto", "tests/install-servers.sh installs it in .servers/moto")
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    with running([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], f"{url}/moto-api/data.json", log):
        yield url


def call_moto(url: str, operation: str, body: dict[str, Any]) -> None:
    headers = {
        "X-Amz-Target": f"GraniteServiceVersion20100801.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=a/20261129/{REGION}/monitoring/aws4_request",
    }
    requests.post(url, json=body, headers=headers, timeout=30).raise_for_status()


def test_sums_of_moto_are_counted_and_its_complete_without_values_is_no_data(moto: str) -> None:
    now = Clock().now()
    places = range(120)
    for name, values in (("Requests", [100] * 120), ("Errors", [place % 3 for place in places])):
        data = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": "Service", "Value": "a"}],
                "Timestamp": (now - timedelta(minutes=2 + place)).timestamp(),
                "Value": value,
            }
            for place, value in zip(places, values, strict=True)
        ]
        call_moto(moto, "PutMetricData", {"Namespace": "Chat", "MetricData": data})
    backend = CloudWatchBackend(CloudWatch(settings(moto), 30.0))
    nothing = Sli(bad=CHAT.bad, total='Chat Nothing{Service="a"}')
    counted, empty = backend.measure(
        [request(length=timedelta(hours=3), at=now), request(nothing, at=now)], now
    )

    assert isinstance(counted, Counts)
    assert whole(counted) == (12_000, sum(place % 3 for place in places))
    assert not isinstance(empty, Counts)
    assert TOTAL[1] == "Requests"
