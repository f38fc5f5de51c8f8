"""Records with a mistake, of other services and of other times, put to every command."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from gate.cli.schema import incident_schema
from tests.cli.installed import AT, END, LOGS
from tests.command import Result, Run

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WEEK = 7 * 24 * 60
POLICY = LOGS[: LOGS.index("tiers:")] + "tiers:\n  - {name: any, otherwise: true, allow: all}\n"
RULE = "postmortems: {share: 20%, known_incidents: incidents/*.yaml}\n"
RECORD = """\
id: INC-42
title: The queue ran full
service: chat
start: 2026-10-30T00:00:00Z
end: 2026-10-30T01:00:00Z
status: reviewed
cause: a batch job without a limit
remediation: batch jobs have a quota
"""
LOOKING = (
    ("status",),
    ("review",),
    ("forecast",),
    ("incidents", "--last", "7d"),
    ("anomalies", "--last", "7d"),
    ("report", "--last", "7d"),
    ("doctor",),
)
ALLOW, USAGE, UNDECIDED, BLOCK = 0, 2, 3, 10


@cache
def log() -> str:
    """A request a minute; of the 60 of the outage the 30 at odd minutes fail."""
    outage = range(5 * 24 * 60 + 1, 5 * 24 * 60 + 61)
    rows = (
        {
            "ts": (END - 7 * DAY + place * MINUTE).isoformat(),
            "status": 500 if place in outage and place % 2 else 200,
        }
        for place in range(1, WEEK + 1)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def service(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> Callable[..., Callable[..., Result]]:
    """Write a week of a service, its policy and its records; return what runs commands on it."""
    (tmp_path / "log.jsonl").write_text(log(), encoding="utf-8")
    (tmp_path / "incidents").mkdir()

    def write(*records: str, rule: str = RULE) -> Callable[..., Result]:
        write_policy(text=POLICY + rule)
        for place, record in enumerate(records):
            (tmp_path / "incidents" / f"{place}.yaml").write_text(record, encoding="utf-8")

        def run(command: str, *options: str) -> Result:
            at = () if command == "validate" else ("--at", AT)
            return gate(command, "gate.yaml", *at, *options)

        return run

    return write


MALFORMED = RECORD.replace("cause:", "causes:")
MALFORMED_ELSEWHERE = MALFORMED.replace("2026-10-30", "2026-10-29").replace("INC-42", "INC-41")
NO_SERVICE = RECORD.replace("service: chat\n", "")
NO_YAML = "id: [\n"


@pytest.mark.crossed
@pytest.mark.parametrize("command", LOOKING)
@pytest.mark.parametrize("malformed", [MALFORMED, NO_YAML])
def test_a_record_with_a_mistake_stops_no_command_that_needs_none(
    service: Callable[..., Callable[..., Result]], command: tuple[str, ...], malformed: str
) -> None:
    sound = service(RECORD)(*command)
    done = service(malformed)(*command)

    assert done.exit_code == sound.exit_code
    assert done.exit_code != USAGE
    assert "incidents/0.yaml:" in done.stderr
    assert ": warning: " in done.stderr
    assert done.stdout


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), BLOCK),
        ((RECORD,), ALLOW),
        ((RECORD, MALFORMED_ELSEWHERE), ALLOW),
        ((RECORD, NO_YAML), ALLOW),
        ((MALFORMED,), UNDECIDED),
        ((NO_SERVICE,), UNDECIDED),
        ((NO_YAML,), UNDECIDED),
        (("",), UNDECIDED),
        ((MALFORMED_ELSEWHERE,), BLOCK),
        ((MALFORMED.replace("service: chat", "service: rag"),), BLOCK),
        ((RECORD.replace("service: chat", "service: rag"),), BLOCK),
        ((RECORD.replace("service: chat", "service: [rag, chat]"),), ALLOW),
        ((RECORD.replace("end:", "slos: ttft\nend:"),), BLOCK),
        ((RECORD.replace("end:", "slos: [availability]\nend:"),), ALLOW),
        ((RECORD.replace("T01:00:00Z", "T00:25:00Z"),), BLOCK),
        ((RECORD.replace("T00:00:00Z", "T00:29:00Z"),), ALLOW),
    ],
)
def test_what_a_check_makes_of_records(
    service: Callable[..., Callable[..., Result]], records: tuple[str, ...], expected: int
) -> None:
    done = service(*records)("check", "--change", "canary", "--policy-ref", "none")

    assert done.exit_code == expected, done.stdout + done.stderr
    if expected == UNDECIDED:
        assert "incidents/0.yaml:" in done.stdout
        assert "cannot be read" in done.stdout


@pytest.mark.parametrize("records", [(), (RECORD,), (MALFORMED,), (RECORD, NO_YAML)])
def test_without_the_rule_no_record_stops_a_check(
    service: Callable[..., Callable[..., Result]], records: tuple[str, ...]
) -> None:
    run = service(*records, rule="")

    done = run("check", "--change", "canary", "--policy-ref", "none")

    assert done.exit_code == ALLOW, done.stdout + done.stderr


def test_what_ships_anyway_ships_beside_a_record_with_a_mistake(
    service: Callable[..., Callable[..., Result]],
) -> None:
    run = service(NO_YAML)

    assert run("check", "--change", "rollback", "--policy-ref", "none").exit_code == ALLOW


def test_validate_refuses_a_record_with_a_mistake_at_its_place(
    service: Callable[..., Callable[..., Result]],
) -> None:
    done = service(MALFORMED)("validate")

    assert done.exit_code == USAGE
    assert "incidents/0.yaml:7:1: error: unknown key 'causes'; did you mean 'cause'?" in done.stdout
    assert service(RECORD)("validate").exit_code == ALLOW


def test_records_that_a_command_was_given_must_be_sound(
    service: Callable[..., Callable[..., Result]],
) -> None:
    done = service(MALFORMED, rule="")("incidents", "--known-incidents", "incidents/")

    assert done.exit_code == USAGE
    assert "incidents/0.yaml:7:1: error: unknown key 'causes'" in done.stderr


@pytest.mark.parametrize("options", [(), ("--known-incidents", "incidents/0.yaml")])
def test_the_records_of_the_policy_explain_without_being_requested(
    service: Callable[..., Callable[..., Result]], options: tuple[str, ...]
) -> None:
    command = ("incidents", "--last", "7d", "--format", "json", *options)
    done = json.loads(service(RECORD, RECORD.replace("INC-42", "INC-43"))(*command).stdout)
    (incident,) = done["services"][0]["incidents"]

    assert [record["id"] for record in incident["records"]] == ["INC-42", "INC-43"]
    assert incident["slos"][0]["explained"]


def test_incidents_say_which_record_may_explain_them_and_which_covers_too_little(
    service: Callable[..., Callable[..., Result]],
) -> None:
    short = RECORD.replace("T01:00:00Z", "T00:25:00Z")
    done = service(short, MALFORMED.replace("INC-42", "INC-43"))("incidents", "--last", "7d")
    words = " ".join(done.stdout.split())

    assert done.exit_code == ALLOW
    assert "1 UNEXPLAINED" in done.stdout
    assert "a record that may explain it cannot be read: incidents/1.yaml:7:1:" in words
    # 13 of the 30 failures are in the 25 minutes from the outage's start: those of odd minutes.
    assert "INC-42 The queue ran full; covers 43.3% of the bad events of availability" in words


def test_the_schema_of_records_is_that_of_the_reader(gate: Run) -> None:
    printed = json.loads(gate("schema", "incident").stdout)

    assert printed == incident_schema()
    validator = jsonschema.Draft202012Validator(printed)
    record = {
        **yaml.safe_load(RECORD),
        "start": "2026-10-30T00:00:00Z",
        "end": "2026-10-30T01:00:00Z",
    }
    validator.validate(record)
    validator.validate({**record, "service": ["chat", "rag"], "slos": "availability"})
    for wrong in ({**record, "causes": "x"}, {**record, "status": "done"}, {**record, "slos": []}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


ID = "chat-20261030-0000"
DEPLOYS = """\
{"time": "2026-10-29T23:50:00Z", "revision": "abc1234", "change": "model-update"}
{"time": "2026-10-29T20:00:00Z", "revision": "def5678"}
{"time": "2026-10-29T23:55:00Z", "revision": "of-another", "service": "rag"}
"""


def test_a_draft_has_all_that_is_known_and_counts_once_it_is_filled_in(
    service: Callable[..., Callable[..., Result]], tmp_path: Path
) -> None:
    run = service()
    (tmp_path / "deploys.jsonl").write_text(DEPLOYS, encoding="utf-8")
    look = ("--last", "7d", "--deploys", "deploys.jsonl", "--draft", ID)

    done = run("incidents", *look, "--write", "yaml=incidents/new.yaml")
    draft = yaml.safe_load(done.stdout)
    written = tmp_path / "incidents" / "new.yaml"

    assert (done.exit_code, done.stderr) == (ALLOW, "")
    assert written.read_text(encoding="utf-8") == done.stdout
    measured = draft.pop("measured")
    assert draft == {
        "id": ID,
        "title": "TODO: what happened, in a line",
        "service": "chat",
        "slos": ["availability"],
        "start": "2026-10-30T00:00:00Z",
        "end": "2026-10-30T01:00:00Z",
        "status": "resolved",
        "cause": "TODO: why it happened",
        "remediation": "TODO: what was changed so that it does not come back",
    }
    # 30 of the 10.08 that may fail of 10,080; all of 15 minutes' 15 at odd minutes are 8.
    assert measured["impact"]["availability"]["bad"] == 30
    assert measured["impact"]["availability"]["budget_share"] == pytest.approx(30 / 10.08, abs=1e-4)
    assert [deploy["revision"] for deploy in measured["deploys"]] == ["abc1234"]
    assert measured["deploys"][0]["change"] == "model-update"

    def check() -> Result:
        return run("check", "--change", "canary", "--policy-ref", "none")

    blocked = check()
    assert blocked.exit_code == BLOCK
    assert "lacks title and cause and remediation and status: reviewed" in " ".join(
        blocked.stdout.split()
    )
    only_status = written.read_text(encoding="utf-8").replace("resolved", "reviewed")
    written.write_text(only_status, encoding="utf-8")
    assert check().exit_code == BLOCK
    written.write_text(only_status.replace("TODO", "Done"), encoding="utf-8")
    assert check().exit_code == ALLOW


def test_an_incident_that_cost_too_little_to_be_shown_can_be_drafted(
    service: Callable[..., Callable[..., Result]],
) -> None:
    done = service()("incidents", "--last", "7d", "--min-share", "100%", "--draft", ID)
    small = service()("incidents", "--last", "7d", "--threshold", "400", "--draft", ID)

    assert yaml.safe_load(done.stdout)["id"] == ID
    assert yaml.safe_load(small.stdout)["id"] == ID


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--draft", "chat-20261030-0005"), "did you mean 'chat-20261030-0000'?"),
        (("--draft", "x", "--threshold", "1000000"), "nor any other in the examined time"),
        (("--format", "yaml"), "yaml is the format of a draft; name the incident with --draft ID"),
        (("--write", "yaml=x"), "yaml is the format of a draft; name the incident with --draft ID"),
        (("--draft", ID, "--format", "json"), "a draft is written as yaml, not as json"),
        (("--draft", ID, "--write", "markdown=x"), "a draft is written as yaml, not as markdown"),
    ],
)
def test_what_cannot_be_drafted_says_what_to_do(
    service: Callable[..., Callable[..., Result]], options: tuple[str, ...], message: str
) -> None:
    done = service()("incidents", "--last", "7d", *options)

    assert done.exit_code == USAGE
    assert message in done.stderr
    assert done.stdout == ""


def test_what_goes_on_is_drafted_without_an_end(
    gate: Run, service: Callable[..., Callable[..., Result]]
) -> None:
    service()
    at = "2026-10-30T00:30:00Z"
    done = gate("incidents", "gate.yaml", "--at", at, "--last", "5d", "--draft", ID)
    draft = yaml.safe_load(done.stdout)

    assert (draft["status"], "end" in draft) == ("open", False)
