"""The command's output on SLOs of Google Cloud Monitoring, and its login."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from gate.backends import files_of, open_backend, secrets_of
from gate.backends.google_slo.platform import GoogleMonitoring
from gate.backends.google_slo.settings import GoogleSloSettings
from gate.backends.logins import GoogleLogin
from gate.config.load import load
from gate.measure import CountRequest, Counts, Limits
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.indicator import Sli
from tests.backends.google_slo.policies import DAY, HOUR, MINUTE, MONTH, NAME, Commands, slo, span
from tests.backends.loopback import send, serving
from tests.backends.prometheus.played import AT
from tests.backends.prometheus.test_logins import service_account, signed_by_google, token_server
from tests.command import gate
from tests.config.texts import policy, read
from tests.servers.google_monitoring import (
    TOKEN,
    FakeMonitoring,
    FakeSlo,
    Refusal,
    Samples,
    error_info,
    every,
    served,
)

JsonObject = dict[str, Any]


def month(**more: Any) -> FakeSlo:
    """Return an SLO with 1,000 events each hour of a month, of which one has failed."""
    samples = every(HOUR, AT - MONTH, AT, good=999, bad=1)
    return slo(**{"samples": Samples(samples), **more})


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(folder=tmp_path)


# Refusals


def refusing(code: int, status: str, message: str, *details: JsonObject) -> FakeMonitoring:
    def spoil(_path: str, _params: Mapping[str, str], _answer: JsonObject) -> JsonObject:
        raise Refusal(code, status, message, details)

    return FakeMonitoring([month()], spoil)


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (
            refusing(
                403,
                "PERMISSION_DENIED",
                "Permission denied (or the resource may not exist).",
                error_info("IAM_PERMISSION_DENIED", permission="monitoring.services.list"),
            ),
            "403 Forbidden (IAM_PERMISSION_DENIED): Permission denied (or the resource may not"
            " exist). (permission monitoring.services.list); grant the account"
            " roles/monitoring.viewer on the project",
        ),
        (
            refusing(
                403,
                "PERMISSION_DENIED",
                "Cloud Monitoring API has not been used in project acme-prod before",
                error_info("SERVICE_DISABLED", service="monitoring.googleapis.com"),
            ),
            "403 Forbidden (SERVICE_DISABLED): Cloud Monitoring API has not been used in project"
            " acme-prod before (service monitoring.googleapis.com); enable the Cloud Monitoring",
        ),
        (
            refusing(403, "PERMISSION_DENIED", "Caller lacks a role."),
            "403 Forbidden (PERMISSION_DENIED): Caller lacks a role; grant the account",
        ),
        (
            refusing(
                403,
                "PERMISSION_DENIED",
                "Request had insufficient authentication scopes.",
                error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            ),
            "use a token with the scope monitoring.read",
        ),
        (
            refusing(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
            "401 Unauthorized (UNAUTHENTICATED): Request had invalid authentication credentials;"
            " renew the access token",
        ),
        (
            refusing(404, "NOT_FOUND", "Project acme-prod was not found."),
            "404 Not Found (NOT_FOUND): Project acme-prod was not found; check backend.project",
        ),
        (
            refusing(
                429,
                "RESOURCE_EXHAUSTED",
                "Quota exceeded for quota metric 'Time series queries'.",
                error_info("RATE_LIMIT_EXCEEDED", quota_limit="QueriesPerMinutePerProject"),
            ),
            "429 Too Many Requests (RATE_LIMIT_EXCEEDED): Quota exceeded for quota metric 'Time"
            " series queries'. (quota_limit QueriesPerMinutePerProject); wait a minute",
        ),
        (
            refusing(400, "INVALID_ARGUMENT", "Field filter had an invalid value."),
            "400 Bad Request (INVALID_ARGUMENT): Field filter had an invalid value; run gate",
        ),
        (refusing(400, "INVALID_ARGUMENT", "", {"@type": "a.b/Other"}), "400 Bad Request"),
    ],
)
def test_a_refusal_is_reported_in_google_s_words_and_what_to_do(
    commands: Commands, fake: FakeMonitoring, words: str
) -> None:
    with served(fake) as url:
        commands.write(url)
        code, decision = commands.decision()

    (finding,) = (each for each in decision["findings"] if each["rule"] == "measurement")
    assert code == 3
    assert words in finding["reason"]


@pytest.mark.parametrize("error", ["not found", None, [], {"error": {"details": "none"}}])
def test_a_refusal_of_another_shape_is_one_as_well(commands: Commands, error: object) -> None:
    def refuse(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        send(handler, json.dumps({"error": error}).encode(), status=404)

    with serving(refuse) as port:
        commands.write(f"http://127.0.0.1:{port}")
        code, decision = commands.decision()

    (finding,) = (each for each in decision["findings"] if each["rule"] == "measurement")
    assert code == 3
    assert "404 Not Found" in finding["reason"]


# Checks


def test_a_healthy_slo_lets_a_change_pass(commands: Commands) -> None:
    with served(FakeMonitoring([month()])) as url:
        commands.write(url, burn_rates="google-30d")
        code, decision = commands.decision()

    (own,) = decision["slos"]
    assert code == 0
    # 720 bad of 720,000 events: 0.1%, a tenth of the budget of 1%.
    assert (own["total"], own["bad"], own["remaining"]) == (720_000, 720, pytest.approx(0.9))


def test_a_spent_budget_blocks(commands: Commands) -> None:
    samples = every(HOUR, AT - MONTH, AT, good=980, bad=20)
    with served(FakeMonitoring([month(samples=Samples(samples))])) as url:
        commands.write(url)
        code, decision = commands.decision()

    assert code == 10
    assert decision["slos"][0]["remaining"] == pytest.approx(-1.0)


def test_a_burn_rate_whose_short_window_has_no_data_is_undecided(commands: Commands) -> None:
    samples = every(HOUR, AT - MONTH, AT - HOUR, good=9990)
    # Half of the last hour's events failed, until 6 minutes ago: 50 times the budget of 1%.
    samples += every(MINUTE, AT - HOUR, AT - 6 * MINUTE, good=10, bad=10)
    with served(FakeMonitoring([month(samples=Samples(samples))])) as url:
        commands.write(url, burn_rates="google-30d")
        code, decision = commands.decision()

    (finding,) = (each for each in decision["findings"] if each["rule"] == "measurement")
    assert code == 3
    assert finding["reason"].startswith("burn rate over 5m: no good and no bad events came back")


def test_two_slos_of_one_name_are_undecided_and_listed(commands: Commands) -> None:
    fake = FakeMonitoring([month(), month(service="batch")])
    with served(fake) as url:
        commands.write(url)
        code, decision = commands.decision()

    (finding,) = (each for each in decision["findings"] if each["rule"] == "measurement")
    assert code == 3
    assert all(each.name in finding["reason"] for each in fake.slos)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sli": {"slo": NAME, "group": "eu"}}, "has no groups; remove the key group"),
        ({"timeslices": {"length": "5m", "target": "95%"}}, "remove timeslices"),
    ],
)
def test_what_google_does_not_count_is_a_mistake(
    commands: Commands, more: JsonObject, words: str
) -> None:
    own = {"name": "a", "objective": "99%", "window": "30d", "sli": {"slo": NAME}}
    commands.write("http://127.0.0.1:9", [{**own, **more}])
    done = commands.run("check", "--change=canary")

    assert done.exit_code == 2
    assert words in done.stderr


FROM_PLATFORM = [{"name": "availability", "from": "platform", "sli": {"slo": NAME}}]


@pytest.mark.parametrize(
    ("period", "window", "events"),
    [
        ({"rollingPeriod": "2592000s"}, "30d", 8_640_000),
        ({"calendarPeriod": "MONTH"}, "month", 288_000),
    ],
)
def test_objective_and_window_are_taken_from_google(
    commands: Commands, period: JsonObject, window: str, events: int
) -> None:
    # The second of January begins.
    samples = every(5 * MINUTE, AT - MONTH, AT + DAY, good=999, bad=1)
    own = month(period=period, goal=0.995, samples=Samples(samples))
    with served(FakeMonitoring([own])) as url:
        commands.write(url, FROM_PLATFORM)
        code, decision = commands.decision(at=AT + DAY)

    (slo_of_policy,) = decision["slos"]
    assert code == 0, decision
    assert slo_of_policy["objective"] == pytest.approx(0.995)
    assert slo_of_policy["total"] == events
    assert window in json.dumps(slo_of_policy["window"])


def test_an_objective_that_differs_is_undecided_and_both_are_named(commands: Commands) -> None:
    with served(FakeMonitoring([month(goal=0.995)])) as url:
        commands.write(url)
        code, decision = commands.decision()

    (finding,) = (each for each in decision["findings"] if each["rule"] == "measurement")
    assert code == 3
    assert "99.5%" in finding["reason"]
    assert "99%" in finding["reason"]


def test_init_writes_a_policy_that_is_sound(tmp_path: Path) -> None:
    made = gate("init", "--backend", "google-slo", cwd=tmp_path)
    assert made.exit_code == 0, made.stderr
    text = (tmp_path / "gate.yaml").read_text(encoding="utf-8")
    assert "project: acme-prod" in text
    checked = gate("validate", "gate.yaml", cwd=tmp_path)
    assert checked.exit_code == 0, checked.stderr


def test_the_past_can_be_examined_but_not_by_label(commands: Commands) -> None:
    samples = every(5 * MINUTE, AT - 3 * DAY, AT, good=90)
    # An hour in which half of the events failed.
    samples += every(5 * MINUTE, AT - DAY, AT - DAY + HOUR, good=0, bad=90)
    with served(FakeMonitoring([month(samples=Samples(samples))])) as url:
        commands.write(url)
        incidents = commands.run("incidents", "--last=2d", "--format=json")
        cohorts = commands.run("cohorts", "--by=model")

    (service,) = json.loads(incidents.stdout)["services"]
    (own,) = service["slos"]
    # Twelve samples with 90 bad events each, and no other time of which nothing is known.
    assert (own["burned"]["bad"], own["burned"]["in_incidents"]) == (1080, 1080)
    assert own["unknown_share"] == 0
    assert cohorts.exit_code == 2
    assert "the backend google-slo cannot separate events by labels" in cohorts.stderr


# The doctor


def test_the_doctor_finds_a_healthy_slo_sound(commands: Commands) -> None:
    with served(FakeMonitoring([month()])) as url:
        commands.write(url)
        done = commands.run("doctor")

    shown = " ".join(done.stdout.split())
    assert done.exit_code == 0, done.stdout
    assert "the services of the project acme-prod can be listed" in shown
    assert "720 bad of 720,000 events" in shown
    assert "time without data has no events, neither good nor bad" in shown


def examined(handler: Any, **more: Any) -> list[CheckResult]:
    """Return what the doctor sees of the project as a whole."""
    with serving(handler) as port:
        settings = GoogleSloSettings(
            **{"project": "acme-prod", "url": f"http://127.0.0.1:{port}", "bearer": TOKEN, **more}
        )
        platform = GoogleMonitoring(settings, Limits(timeout=timedelta(seconds=20)))
        return platform.examine()


@pytest.mark.parametrize(
    ("ahead", "level", "side"),
    [
        (timedelta(minutes=3), Level.DOUBT, "ahead of this machine's"),
        (-timedelta(minutes=3), Level.DOUBT, "behind this machine's"),
        (timedelta(seconds=5), Level.OK, ""),
    ],
)
def test_the_doctor_compares_the_clocks(ahead: timedelta, level: Level, side: str) -> None:
    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        handler.send_response_only(200)
        handler.send_header("Date", date)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    rights, clock = examined(answer)
    assert (rights.check, rights.level) == (Check.RIGHTS, Level.OK)
    assert (clock.check, clock.level) == (Check.CLOCK, level)
    assert clock.message.endswith(side)


def test_without_a_time_in_the_answer_no_clock_is_compared() -> None:
    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response_only(200)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    assert [result.check for result in examined(answer)] == [Check.RIGHTS]


# Logins


def asked(settings: GoogleSloSettings) -> object:
    backend = open_backend(settings, Limits(timeout=timedelta(seconds=20)))
    (answer,) = backend.measure([CountRequest(sli=Sli(slo=NAME), span=span(HOUR), probe=True)], AT)
    return answer


def test_a_service_account_s_key_gives_a_token_that_may_only_read(tmp_path: Path) -> None:
    with token_server(signed_by_google) as (tokens, server), served(FakeMonitoring([slo()])) as url:
        login = GoogleLogin(credentials_file=service_account(tmp_path, f"{tokens}/token"))
        settings = GoogleSloSettings(project="acme-prod", url=url, login=login)
        answer = asked(settings)
        api = GoogleMonitoring(settings, Limits(timeout=timedelta(seconds=20)))
        rights, *_ = api.examine()

    assert isinstance(answer, Counts), answer
    assert server.given == 2
    assert "its token is limited to the scope monitoring.read" in rights.message


def test_the_project_whose_quota_is_used_is_sent() -> None:
    seen = list[str | None]()
    fake = FakeMonitoring([slo()])

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append(handler.headers["X-Goog-User-Project"])
        fake(handler, body)

    with serving(handle) as port:
        url = f"http://127.0.0.1:{port}"
        asked(
            GoogleSloSettings(project="acme-prod", url=url, bearer=TOKEN, quota_project="acme-ci")
        )
        asked(GoogleSloSettings(project="acme-prod", url=url, bearer=TOKEN))

    # The services, their SLOs, and the counts.
    assert seen == [*["acme-ci"] * 3, *[None] * 3]


# Settings

SLOS = "slos:\n  - {name: a, objective: 99%, window: 30d, sli: {slo: a}}\n"


def mistakes_of(block: str) -> list[str]:
    text = policy(backend=f"backend: {{type: google-slo, {block}}}\n", slos=SLOS)
    _, mistakes = read(text, {"T": "token-0123"})
    return mistakes


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("retries: 1", "the key 'project' is missing; add project: acme-prod"),
        ("project: projects/acme", "is not the ID of a project; write for example acme"),
        ("project: Acme Prod", "is not the ID of a project; write for example acme-prod"),
        ("project: acme, auth: {}", "auth has either bearer or google"),
        ('project: acme, auth: {bearer: "${T}", google: {}}', "auth has either bearer or google"),
        ("project: acme, auth: {bearer: a}", "${NAME}"),
        ("project: acme, url: 'http://proxy.example'", "sent over https only"),
        ("project: acme, url: 'https://a.example/v3/projects'", "remove /v3/projects from its end"),
        ("project: acme, timeout: 5s", "the time limit is an option of the command"),
        ("project: acme, projet: b", "unknown key 'projet'; did you mean 'project'?"),
    ],
)
def test_a_mistake_in_the_block_says_what_to_write(block: str, words: str) -> None:
    (mistake,) = mistakes_of(block)

    assert words in mistake


@pytest.mark.parametrize(
    "block",
    [
        "project: acme-prod",
        "project: 'example.com:acme-prod'",
        "project: '123456789012'",
        'project: acme, auth: {bearer: "${T}"}, url: "http://proxy.example"',
        "project: acme, auth: {google: {}}, url: 'https://monitoring-acme.p.googleapis.com/'",
        "project: acme, url: 'http://localhost:8080'",
        "project: acme, quota_project: acme-ci, retries: 0",
    ],
)
def test_a_block_that_is_right_has_no_mistakes(block: str) -> None:
    assert mistakes_of(block) == []


@contextmanager
def loaded(folder: Path, block: str, **environ: str) -> Iterator[Any]:
    text = policy(backend=f"backend: {{type: google-slo, {block}}}\n", slos=SLOS)
    (folder / "gate.yaml").write_text(text, encoding="utf-8")
    yield load(str(folder / "gate.yaml"), environ).settings


def test_token_and_address_from_outside_are_secret_and_the_credentials_are_a_file(
    tmp_path: Path,
) -> None:
    block = 'project: acme, auth: {bearer: "${T}"}, url: "https://proxy.example/${P}"'
    with loaded(tmp_path, block, T="token-0123", P="path-0123") as settings:
        assert secrets_of(settings) == (
            "token-0123",
            "https://proxy.example/path-0123",
            "path-0123",
        )
        assert files_of(settings) == ()
        assert "token-0123" not in repr(settings)
    (tmp_path / "key.json").write_text("{}")
    with loaded(
        tmp_path, "project: acme, auth: {google: {credentials_file: key.json}}"
    ) as settings:
        assert files_of(settings) == (str(tmp_path / "key.json"),)
        assert secrets_of(settings) == ()
