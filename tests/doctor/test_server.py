"""Faults of a server as a whole: on a real one, or on a fake where no real one has the fault."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import responses
from requests import PreparedRequest

from gate.backends import open_doctor
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import CountRequest, Limits
from gate.measure.diagnosis import CheckedSlo, CheckResult, Diagnosis, Level
from gate.slo.indicator import Histogram, Sli
from tests.backends.prometheus.played import AT, MONTH, VALUES, FakePrometheus, failure
from tests.doctor.asking import examine, run, write_policy
from tests.doctor.planted import HEALTHY, MINUTES, Planted, counted, grows, ratio, write_text
from tests.servers.metrics import backfill, prometheus, victoria
from tests.servers.processes import free_port

API = "https://prometheus.example/api/v1"
HttpAnswer = tuple[int, dict[str, str], str]
NOTHING: Mapping[str, str | None] = {
    # Of a server that nothing is wrong with; the first piece that a part contains counts.
    "resets(((": "0",
    "resets(": None,
    "unless": None,
    "instance, job": None,
    "count without": None,
    "by (job)": "1000",
    "min_over_time((0": str((AT - timedelta(days=30)).timestamp()),
    "max_over_time((0": str(AT.timestamp()),
    "count(count_over_time": "1",
    **VALUES,
}
BUILD = {"version": "2.53.1", "revision": "a", "goVersion": "go1.22"}


def data(value: object) -> HttpAnswer:
    return (200, {}, json.dumps({"status": "success", "data": value}))


def told(skew: timedelta = timedelta(0), build: object = None) -> Mapping[str, HttpAnswer]:
    """Return what a server says of itself whose clock is off by so much."""
    now = datetime.now(UTC) + skew
    return {
        "status/buildinfo": data(BUILD if build is None else build),
        "status/runtimeinfo": data({"storageRetention": "90d or 1TiB"}),
        "query": data({"resultType": "scalar", "result": [0, str(now.timestamp())]}),
    }


@contextmanager
def played(server: FakePrometheus, says: Mapping[str, HttpAnswer]) -> Iterator[None]:
    def get(request: PreparedRequest) -> HttpAnswer:
        path = urlsplit(str(request.url)).path.partition("/api/v1/")[2]
        return says.get(path, (404, {}, "not here"))

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, f"{API}/query", callback=server)
        for name in ("query", "status/buildinfo", "status/runtimeinfo", "labels"):
            mock.add_callback(responses.GET, f"{API}/{name}", callback=get)
        mock.add_callback(responses.GET, f"{API}/label/__name__/values", callback=get)
        yield


def checked_slo(sli: Sli | None = None) -> CheckedSlo:
    return CheckedSlo(
        name="slo",
        request=CountRequest(
            sli=sli or Sli(bad='x{code="500"}', total="x"), span=MONTH, probe=True
        ),
        whole=timedelta(days=30),
        max_age=timedelta(minutes=10),
        min_coverage=Fraction(9, 10),
    )


def diagnose(
    says: Mapping[str, HttpAnswer] | None = None,
    server: FakePrometheus | None = None,
    *slos: CheckedSlo,
    seconds: float = 10,
) -> Diagnosis:
    settings = PrometheusSettings(url="https://prometheus.example", retries=0)
    doctor = open_doctor(settings, Limits(timeout=timedelta(seconds=seconds)))
    with played(server or FakePrometheus(values=NOTHING), told() if says is None else says):
        return doctor.examine(slos or (checked_slo(),), AT)


def findings(results: tuple[CheckResult, ...]) -> dict[str, str]:
    return {str(one.check): one.message for one in results if one.level is not Level.OK}


def seen(results: tuple[CheckResult, ...], check: str) -> str:
    (result,) = [one for one in results if one.check == check]
    return result.message


def test_a_played_server_that_nothing_is_wrong_with_is_sound() -> None:
    diagnosis = diagnose()

    assert findings(diagnosis.backend) == {}
    assert [findings(results) for results in diagnosis.slos] == [{}]
    assert seen(diagnosis.backend, "version") == "Prometheus 2.53.1"
    assert seen(diagnosis.backend, "retention") == "keeps 90d"
    assert seen(diagnosis.backend, "clock") == "clock within 0 s of ours"


@pytest.mark.parametrize(
    ("skew", "level", "words"),
    [
        (timedelta(seconds=-60), Level.DOUBT, "behind ours"),
        (timedelta(seconds=90), Level.DOUBT, "ahead of ours"),
        (timedelta(hours=-1), Level.FAULT, "behind ours"),
    ],
)
def test_a_clock_that_is_off_is_reported_with_how_much(
    skew: timedelta, level: Level, words: str
) -> None:
    diagnosis = diagnose(told(skew))
    (result,) = [one for one in diagnosis.backend if one.check == "clock"]

    assert result.level is level
    assert words in result.message
    told_seconds = int(result.message.split(" s ")[0].rpartition(" ")[2].replace(",", ""))
    assert told_seconds == pytest.approx(abs(skew.total_seconds()), abs=5)
    assert "NTP" in result.remedy


@pytest.mark.parametrize(
    "answer",
    [
        (403, {}, "no"),
        data({"resultType": "scalar", "result": [0, "noon"]}),
        data({"resultType": "matrix", "result": []}),
        data([]),
    ],
)
def test_a_clock_that_cannot_be_seen_is_a_fault(answer: HttpAnswer) -> None:
    diagnosis = diagnose({**told(), "query": answer})

    assert "the clock could not be checked" in findings(diagnosis.backend)["reach"]


def test_the_clock_of_a_vector_counts_too() -> None:
    now = str(datetime.now(UTC).timestamp())
    answer = data({"resultType": "vector", "result": [{"metric": {}, "value": [0, now]}]})

    assert findings(diagnose({**told(), "query": answer}).backend) == {}


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("build", "name"),
    [
        ({}, "the server does not report its version"),
        ([], "the server does not report its version"),
        ({"version": "2.24.0"}, "the server does not report its version"),  # VictoriaMetrics
        ({"version": "0.34.0", "goVersion": "go1"}, "the server does not report its version"),
        ({"application": "Grafana Mimir", "version": "2.12"}, "Grafana Mimir 2.12"),
    ],
)
def test_another_server_is_not_mistaken_for_a_prometheus(build: object, name: str) -> None:
    assert seen(diagnose(told(build=build)).backend, "version") == name


@pytest.mark.parametrize(
    ("version", "text", "words"),
    [
        ("2.25.0", "sum(increase(x[$window])) + sum(last_over_time(y[$window]))", "2.26"),
        ("2.39.1", "histogram_count(sum(increase(x[$window])))", "2.40"),
        ("3.3.1", "histogram_fraction(0, 2, sum by (le) (increase(x_bucket[$window])))", "3.4"),
    ],
)
def test_what_a_server_is_too_old_for_is_named(version: str, text: str, words: str) -> None:
    asked = checked_slo(Sli(bad=text, total="x"))
    old = diagnose(told(build={**BUILD, "version": version}), None, asked)
    new = diagnose(told(build={**BUILD, "version": "3.4.0"}), None, asked)

    assert f"needs Prometheus {words}" in findings(old.slos[0])["version"]
    assert "version" not in findings(new.slos[0])


@pytest.mark.parametrize("retention", ["", "soon", "1e9y", "15GiB"])
def test_a_retention_that_cannot_be_read_is_not_told(retention: str) -> None:
    says = {**told(), "status/runtimeinfo": data({"storageRetention": retention})}

    assert [one for one in diagnose(says).backend if one.check == "retention"] == []


def test_a_warning_of_the_server_is_a_partial_answer() -> None:
    server = FakePrometheus(values=NOTHING, more={"warnings": ["store b did not answer"]})

    found = findings(diagnose(None, server).slos[0])
    assert found == {"partial": "the server warns: store b did not answer"}


def test_a_check_that_was_not_answered_is_not_a_good_news() -> None:
    def refuse(query: str) -> HttpAnswer | None:
        return (422, {}, failure("execution", "too hard")) if "changes(" in query else None

    found = findings(diagnose(None, FakePrometheus(values=NOTHING, refuse=refuse)).slos[0])
    assert list(found) == ["reach"]
    assert "counter could not be checked" in found["reach"]
    assert "too hard" in found["reach"]


def test_clues_that_were_not_answered_are_reported() -> None:
    values = {"count(count_over_time(x{": None, **NOTHING}

    def refuse(query: str) -> HttpAnswer | None:
        return (422, {}, failure("execution", "too hard")) if "by (code)" in query else None

    found = findings(diagnose(None, FakePrometheus(values=values, refuse=refuse)).slos[0])
    assert list(found) == ["reach"]
    assert "metric could not be checked" in found["reach"]
    assert "too hard" in found["reach"]


def test_no_time_left_is_reported() -> None:
    diagnosis = diagnose(None, None, seconds=1e-9)

    assert "no answer in the time" in findings(diagnosis.backend)["reach"]


def test_an_expression_that_cannot_be_asked_is_a_fault() -> None:
    found = findings(diagnose(None, None, checked_slo(Sli(bad="sum(x)", total="x"))).slos[0])

    assert list(found) == ["counted"]
    assert "it has no $window and is not a bare selector" in found["counted"]


def test_a_histogram_that_cannot_be_requested_is_a_fault() -> None:
    histogram = Histogram(good="sum(x)", total="sum(x)", threshold=Fraction(1), unit="s")
    found = findings(diagnose(None, None, checked_slo(Sli(histogram=histogram))).slos[0])

    assert "a metric's name is expected here" in found["boundary"]


def test_an_expression_without_any_metric_measures_nothing() -> None:
    sli = Sli(bad="vector(0) * $window", total="vector(1000) * $window")
    server = FakePrometheus(values={"vector(0)": "0", "vector(1000)": "1000"})
    diagnosis = diagnose(None, server, checked_slo(sli))

    assert "names no metric" in findings(diagnosis.slos[0])["counted"]


def test_samples_that_are_histograms_are_not_mistaken_for_numbers() -> None:
    count = "histogram_count(sum(increase(x[$window])))"
    server = FakePrometheus(values=NOTHING)
    diagnosis = diagnose(None, server, checked_slo(Sli(good=count, total=count)))

    assert findings(diagnosis.slos[0]) == {}
    assert not [one for one in server.queries if "by (job)" in one or "changes(" in one]


def test_a_server_that_lets_nobody_in_is_a_fault_of_its_own() -> None:
    server = FakePrometheus(refuse=lambda _: (401, {}, "who are you"))
    diagnosis = diagnose(told(), server)

    assert list(findings(diagnosis.backend)) == ["reach"]
    assert "401" in findings(diagnosis.backend)["reach"]
    assert diagnosis.slos == ((),)


def test_a_server_that_is_not_there_is_exit_code_3_and_never_sound(tmp_path: Path) -> None:
    backend = {"type": "prometheus", "url": f"http://127.0.0.1:{free_port()}", "retries": 0}
    path = write_policy(tmp_path, backend, [HEALTHY["healthy"].slo("healthy")])
    done = run(path)

    assert done.exit_code == 3
    assert done.stdout.startswith("✖ 1 FAULT  chat\n")
    assert "nothing could be checked" in done.stdout
    assert "connection refused" in done.stdout
    assert "run gate doctor again" not in done.stdout  # the message has advice of its own
    assert "Not " not in done.stdout


@pytest.fixture(scope="module")
def half_a_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the last half of the window of one service."""
    half = Planted(
        series=(counted("half", grows(first=1e6, start=MINUTES - 720), code="200"),), sli={}
    )
    path = tmp_path_factory.mktemp("half") / "half.om"
    write_text(path, {"half": half})
    return path


HALF = Planted(series=(), sli=ratio("half")).slo("half")


@pytest.mark.slow
def test_a_server_that_keeps_half_of_the_window_is_a_fault(
    half_a_day: Path, tmp_path: Path
) -> None:
    backfill(half_a_day, tmp_path / "data")
    with prometheus(tmp_path, tmp_path / "data", retention="12h") as server:
        backend = {"type": "prometheus", "url": server.url}
        outcome = examine(write_policy(tmp_path, backend, [HALF]))

    (found,) = [one for one in outcome.slos["half"]["checks"] if one["level"] != "ok"]
    assert (found["check"], found["level"]) == ("retention", "fault")
    assert "the server keeps 12h: the oldest data are of 2026-10-31 12:00 UTC" in found["message"]
    assert "they cover 50% of 1d" in found["message"]
    assert "--storage.tsdb.retention.time=1d" in found["remedy"]


def test_a_retention_a_little_too_short_is_a_doubt(half_a_day: Path, tmp_path: Path) -> None:
    backfill(half_a_day, tmp_path / "data")
    with prometheus(tmp_path, tmp_path / "data", retention="12h") as server:
        backend = {"type": "prometheus", "url": server.url}
        slo = {**HALF, "window": "12h30m"}
        outcome = examine(write_policy(tmp_path, backend, [slo]))

    (found,) = [one for one in outcome.slos["half"]["checks"] if one["level"] != "ok"]
    assert (found["check"], found["level"]) == ("retention", "doubt")


@pytest.mark.slow
def test_a_young_service_on_a_server_that_does_not_tell_its_retention_is_a_doubt(
    half_a_day: Path, tmp_path: Path
) -> None:
    with victoria(tmp_path, half_a_day) as server:
        backend = {"type": "prometheus", "url": server.url}
        outcome = examine(write_policy(tmp_path, backend, [HALF]))

    (found,) = [one for one in outcome.slos["half"]["checks"] if one["level"] != "ok"]
    assert (found["check"], found["level"]) == ("coverage", "doubt")
    assert "see how long the server keeps data" in found["remedy"]
