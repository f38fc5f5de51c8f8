"""The findings of ``gate doctor`` about CloudWatch, and the settings of the backend."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from gate.backends import open_backend, open_doctor, registration, secrets_of
from gate.backends.cloudwatch.backend import CloudWatchBackend
from gate.backends.cloudwatch.doctor import CloudWatchDoctor
from gate.backends.cloudwatch.settings import BLOCK
from gate.measure import Limits
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Diagnosis, Level
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader, compose
from gate.slo.indicator import Sli
from tests.backends.cloudwatch.asking import (
    AT,
    CHAT,
    MONTH,
    asking,
    request,
    service,
    settings,
)
from tests.backends.cloudwatch_cases import RATIO, month, served
from tests.command import gate
from tests.servers.cloudwatch import FakeCloudWatch, key_of

DAY = timedelta(days=1)


def examined(fake: FakeCloudWatch, *slis: Sli, length: timedelta = MONTH) -> Diagnosis:
    slos = [
        CheckedSlo(
            name="availability",
            request=request(sli, length),
            whole=length,
            max_age=timedelta(minutes=15),
            min_coverage=Fraction(9, 10),
        )
        for sli in slis or (CHAT,)
    ]
    with asking(fake) as backend:
        return CloudWatchDoctor(backend).examine(slos, AT)


def of(results: tuple[CheckResult, ...], check: Check) -> list[CheckResult]:
    return [result for result in results if result.check is check]


def test_where_nothing_is_wrong_every_check_is_ok() -> None:
    diagnosis = examined(service())

    assert {result.level for result in (*diagnosis.backend, *diagnosis.slos[0])} == {Level.OK}
    assert diagnosis.skipped == ((),)
    messages = [result.message for result in diagnosis.slos[0]]
    assert 'Chat Requests{Service="a"} had points in the last two weeks' in messages
    assert "72 bad of 72,000 events" in messages
    assert "the newest point of the total ends 5m56s ago" in messages


def test_a_misspelt_metric_is_a_fault_with_the_likely_name() -> None:
    diagnosis = examined(service(), Sli(bad='Chat Eror{Service="a"}', total=CHAT.total))

    (_, doubt) = of(diagnosis.slos[0], Check.METRIC)
    assert doubt.level is Level.DOUBT
    assert doubt.remedy == "Chat has no metric of this name; did you mean 'Errors'?"
    (fault,) = of(diagnosis.slos[0], Check.LABELS)
    assert fault.level is Level.FAULT
    assert "nothing shows that it ever was published" in fault.message


def test_a_rare_metric_of_amazon_that_had_no_point_is_not_a_doubt() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    moments = [AT - timedelta(hours=n, minutes=6) for n in range(720)]
    fake.publish(key_of("AWS/Bedrock", "Invocations", ModelId="m"), ((at, 100) for at in moments))
    sli = Sli(
        bad='AWS/Bedrock InvocationServerErrors{ModelId="m"}',
        total='AWS/Bedrock Invocations{ModelId="m"}',
    )
    diagnosis = examined(fake, sli)

    assert {result.level for result in diagnosis.slos[0]} == {Level.OK}
    (_, rare) = of(diagnosis.slos[0], Check.METRIC)
    assert "AWS publishes it only where there is something to count" in rare.message


def test_without_the_right_to_list_metrics_that_is_a_doubt_and_so_is_each_metric() -> None:
    fake = service()
    fake.wrong.listing_denied = True
    diagnosis = examined(fake)

    (rights,) = of(diagnosis.backend, Check.RIGHTS)
    assert rights.level is Level.DOUBT
    assert "not authorized to perform: cloudwatch:ListMetrics" in rights.message
    assert "allow cloudwatch:ListMetrics" in rights.remedy
    assert {result.level for result in of(diagnosis.slos[0], Check.METRIC)} == {Level.DOUBT}


def test_where_the_login_is_refused_nothing_else_is_reported() -> None:
    fake = service()
    fake.region = "us-east-1"
    diagnosis = examined(fake)

    (fault,) = diagnosis.backend
    assert (fault.check, fault.level) == (Check.REACH, Level.FAULT)
    assert "Credential should be scoped to a valid region" in fault.message
    assert fault.remedy == (
        "check backend.region, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the selectors, or wait"
        " where AWS throttles"
    )
    assert diagnosis.slos == ((),)


def test_an_slo_without_a_count_is_a_fault_beside_one_that_has_it() -> None:
    fake = service()
    fake.wrong.result = lambda result: (
        {**result, "StatusCode": "Forbidden"} if result["Id"] == "m2" else result
    )
    diagnosis = examined(fake, CHAT, Sli(bad=CHAT.bad, total="Chat Secret"))

    assert {result.level for result in diagnosis.slos[0]} == {Level.OK}
    (fault,) = of(diagnosis.slos[1], Check.COUNTED)
    assert fault.level is Level.FAULT
    assert "(Forbidden)" in fault.message


def test_a_mistaken_indicator_is_a_fault() -> None:
    diagnosis = examined(service(), Sli(bad="Chat", total="A B"))

    (fault,) = of(diagnosis.slos[0], Check.COUNTED)
    assert "bad: column 5" in fault.message
    assert len(of(diagnosis.backend, Check.RIGHTS)) == 0


def test_old_points_and_a_window_without_many_are_reported() -> None:
    results = examined(service(range(24, 300))).slos[0]

    (fresh,), (covered,) = of(results, Check.FRESHNESS), of(results, Check.COVERAGE)
    assert (fresh.level, covered.level) == (Level.FAULT, Level.DOUBT)
    assert "max_age is 15m" in fresh.remedy
    assert "38.2% of the window has points" in covered.message


def test_what_is_spent_is_reported_and_lost_points_are_a_doubt() -> None:
    hours = [*range(200), *range(220, 720)]
    results = examined(service(hours), Sli(spent=CHAT.total)).slos[0]

    (counted,), (gap,) = of(results, Check.COUNTED), of(results, Check.GAPS)
    assert counted.message == "70,000 spent"
    assert gap.level is Level.DOUBT


def test_the_mean_of_a_latency_shows_whether_the_threshold_is_in_its_unit() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    moments = [AT - timedelta(hours=n, minutes=6) for n in range(720)]
    fake.publish(key_of("Chat", "Latency"), ((at, 0.5) for at in moments), 30)
    fake.publish(key_of("Chat", "Latency"), ((at, 4.5) for at in moments), 10)
    sli = Sli(column="Chat Latency", threshold=Fraction(2000))
    (counted,) = of(examined(fake, sli).slos[0], Check.COUNTED)

    assert counted.message == (
        "0 bad of 28,800 events; the mean is 1.5, and values up to 2000 are good"
    )


def test_a_metric_of_which_only_zeros_came_says_so() -> None:
    (fault,) = of(examined(service(each=0, bad=0)).slos[0], Check.COUNTED)

    assert "every point of the total is 0" in fault.message


# Settings and commands


def test_backend_and_doctor_ask_nothing_when_they_are_opened() -> None:
    limits, closed = Limits(timeout=timedelta(seconds=5)), settings("http://127.0.0.1:9")

    assert isinstance(open_doctor(closed, limits), CloudWatchDoctor)
    assert isinstance(open_backend(closed, limits), CloudWatchBackend)


def test_the_keys_are_secrets_and_files_there_are_none() -> None:
    opened = settings("http://127.0.0.1:9")

    assert secrets_of(opened) == ("secret", "key")
    assert registration("cloudwatch").files(opened) == ()


def test_every_key_of_the_block_is_public_or_a_secret() -> None:
    assert {"region", "fips", "retries"} == registration("cloudwatch").public
    assert BLOCK.fields.keys() - registration("cloudwatch").public == {
        "access_key",
        "secret_key",
        "session_token",
        "url",
    }


@pytest.mark.parametrize(
    ("block", "host"),
    [
        ("region: eu-central-1", "monitoring.eu-central-1.amazonaws.com"),
        ("{region: us-east-1, fips: true}", "monitoring-fips.us-east-1.amazonaws.com"),
        ("region: cn-north-1", "monitoring.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_host_is_that_of_the_region(block: str, host: str, tmp_path: Path) -> None:
    reader = Reader(file="gate.yaml", environ={}, imports=Imports(tree=Folder(tmp_path)))
    opened = BLOCK.read(compose(block, reader), reader)

    assert opened.access.url == f"https://{host}"


def test_the_starter_is_a_sound_policy(tmp_path: Path) -> None:
    made = gate("init", "--backend", "cloudwatch", cwd=tmp_path)
    checked = gate("validate", "gate.yaml", cwd=tmp_path)

    assert (made.exit_code, checked.exit_code) == (0, 0), (made, checked)


def test_gate_doctor_speaks_of_cloudwatch(tmp_path: Path) -> None:
    with served(month())(tmp_path) as setup:
        policy = {
            "version": 1,
            "service": "chat",
            "backend": dict(setup.backend),
            "slos": [{"name": "slo", "window": "30d", **RATIO}],
            "tiers": [{"name": "all", "otherwise": True, "allow": "all"}],
        }
        (tmp_path / "gate.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
        done = gate(
            "doctor",
            "gate.yaml",
            "--at=2026-01-01T00:00:00Z",
            cwd=tmp_path,
            env={"PASSWORD": "secret-1"},
        )

    assert done.exit_code == 0, done
    assert "has answered cloudwatch:GetMetricData" in " ".join(done.stdout.split())
