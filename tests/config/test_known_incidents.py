"""Files of known incidents and of deploys: what they may say, and every mistake with its place."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.config.known_incidents import load_deployments, load_known_incidents, read_records
from gate.errors import PolicyError, UsageError
from gate.history.records import Deployment, IncidentRecord, RecordStatus, UnreadableRecord
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader

WHOLE = """\
id: INC-42
title: The night shift's database
service: chat
start: 2026-10-27T02:45:00+01:00
end: 2026-10-27T02:30:00Z
status: reviewed
cause: a failover
link: https://wiki.example/INC-42
"""
BEGAN = datetime(2026, 10, 27, 1, 45, tzinfo=UTC)
OVER = datetime(2026, 10, 27, 2, 30, tzinfo=UTC)
LEAST = "{id: 7, title: t, service: chat, start: 2026-10-27T01:45:00Z, status: open}\n"


def write(folder: Path, **texts: str) -> str:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return str(folder)


def mistakes(folder: Path, **texts: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_known_incidents([write(folder, **texts)], {})
    return [str(one).removeprefix(f"{folder}/") for one in caught.value.mistakes]


def deploys(folder: Path, text: str) -> tuple[Deployment, ...]:
    path = folder / "deploys.jsonl"
    path.write_text(text, encoding="utf-8")
    return load_deployments(str(path), {})


def deploy_mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        deploys(folder, text)
    return [str(one).removeprefix(f"{folder}/") for one in caught.value.mistakes]


def test_a_record_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    assert load_known_incidents([write(tmp_path, one=WHOLE)], {}) == (
        IncidentRecord(
            id="INC-42",
            title="The night shift's database",
            services=("chat",),
            start=datetime(2026, 10, 27, 1, 45, tzinfo=UTC),
            end=datetime(2026, 10, 27, 2, 30, tzinfo=UTC),
            status=RecordStatus.REVIEWED,
            cause="a failover",
            link="https://wiki.example/INC-42",
        ),
    )


@pytest.mark.variants(3)
@pytest.mark.parametrize("line", WHOLE.splitlines())
def test_a_record_with_a_duplicate_key_is_not_read(tmp_path: Path, line: str) -> None:
    # Nobody can say which of the two was meant, be it an end, a service or a status.
    key = line.split(":", maxsplit=1)[0]
    place = WHOLE.splitlines().index(line) + 1
    expected = f"one.yaml:9:1: error: duplicate key '{key}'; the first one is on line {place}"
    assert mistakes(tmp_path, one=WHOLE + line + "\n") == [expected]


def test_an_open_record_needs_no_end_cause_or_link(tmp_path: Path) -> None:
    (found,) = load_known_incidents([write(tmp_path, one=LEAST)], {})

    assert (found.id, found.end, found.cause, found.link) == ("7", None, None, None)


def test_a_file_may_have_a_list_or_several_documents(tmp_path: Path) -> None:
    a, b, c = (LEAST.replace("id: 7", f"id: {name}") for name in "abc")
    write(tmp_path, one=f"- {a}- {b}", two=f"{c}---\n{WHOLE}")

    assert [one.id for one in load_known_incidents([str(tmp_path)], {})] == [
        "a",
        "b",
        "c",
        "INC-42",
    ]


def test_a_folder_a_file_and_a_glob_name_each_file_once(tmp_path: Path) -> None:
    write(tmp_path, one=WHOLE, two=LEAST)
    (tmp_path / "three.yml").write_text(LEAST.replace("id: 7", "id: 8"))
    (tmp_path / "notes.md").write_text("no record")

    found = load_known_incidents(
        [str(tmp_path / "*.yaml"), str(tmp_path), str(tmp_path / "one.yaml")], {}
    )

    assert [one.id for one in found] == ["INC-42", "7", "8"]


@pytest.mark.parametrize("name", ["*.yaml", "", "one.yaml"])
def test_where_no_file_matches_it_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no file matches"):
        load_known_incidents([str(tmp_path / name)], {})


def test_a_misspelt_key_and_status_are_reported_with_the_nearest(tmp_path: Path) -> None:
    text = WHOLE.replace("cause:", "casue:").replace("reviewed", "reviewd")

    assert mistakes(tmp_path, one=text) == [
        "one.yaml:6:9: error: 'reviewd' is not a valid value; did you mean 'reviewed'?",
        "one.yaml:7:1: error: unknown key 'casue'; did you mean 'cause'?",
    ]


def test_the_mistakes_of_all_files_are_reported_together(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path, one="- id: 1\n", two="", three=LEAST.replace("Z", ""), four=WHOLE + "}"
    )

    assert [one.split(" error: ")[0] for one in found] == [
        "four.yaml:9:1:",
        "one.yaml:1:3:",
        "one.yaml:1:3:",
        "one.yaml:1:3:",
        "one.yaml:1:3:",
        "three.yaml:1:41:",
        "two.yaml:1:1:",
    ]


def test_a_file_that_cannot_be_read_is_reported_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "dir.yaml").mkdir()

    assert mistakes(tmp_path, one="- 5") == [
        "dir.yaml:1:1: error: the file cannot be read: Is a directory",
        "one.yaml:1:3: error: expected a block of keys, not a single value; write lines of the"
        " form key: value",
    ]


@pytest.mark.parametrize("end", ["2026-10-27T01:45:00Z", "2026-10-26T00:00:00Z"])
def test_an_end_is_after_its_start(tmp_path: Path, end: str) -> None:
    text = WHOLE.replace("2026-10-27T02:30:00Z", end)

    assert mistakes(tmp_path, one=text) == ["one.yaml:5:6: error: the end is not after the start"]


@pytest.mark.parametrize("status", ["resolved", "reviewed"])
def test_what_is_over_has_an_end(tmp_path: Path, status: str) -> None:
    text = LEAST.replace("open", status)

    assert mistakes(tmp_path, one=text) == [
        f"one.yaml:1:71: error: a known incident that is {status} has an end: add the key 'end'"
    ]


def test_an_id_stands_once(tmp_path: Path) -> None:
    assert mistakes(tmp_path, one=LEAST, two=f"- {LEAST}") == [
        f"two.yaml:1:3: error: duplicate id '7'; the first one is in {tmp_path}/one.yaml:1"
    ]


@pytest.mark.parametrize(
    ("given", "services", "slos"),
    [
        ("service: chat", ("chat",), ()),
        ("service: [chat, rag]", ("chat", "rag"), ()),
        ("service: chat, slos: ttft", ("chat",), ("ttft",)),
        ("service: chat, slos: [ttft, availability]", ("chat",), ("ttft", "availability")),
    ],
)
def test_a_record_names_services_and_slos(
    tmp_path: Path, given: str, services: tuple[str, ...], slos: tuple[str, ...]
) -> None:
    (record,) = load_known_incidents(
        [write(tmp_path, one=LEAST.replace("service: chat", given))], {}
    )

    assert (record.services, record.slos) == (services, slos)


def test_a_record_from_before_there_was_service_says_what_to_add(tmp_path: Path) -> None:
    assert mistakes(tmp_path, one=WHOLE.replace("service: chat\n", "")) == [
        "one.yaml:1:1: error: the key 'service' is missing: Affected service, as its policy names"
        " it, or a list of services: chat."
    ]


def test_what_a_draft_leaves_to_people_is_read_as_not_filled_in(tmp_path: Path) -> None:
    draft = WHOLE.replace("cause: a", 'remediation: "TODO: remedy"\ncause: TODO').replace(
        "title: The", "title: 'TODO"
    )
    text = draft.replace("shift's", "shift''s").replace("database", "database'")

    (record,) = load_known_incidents([write(tmp_path, one=text + "measured: {chat: 1}\n")], {})

    assert record.unfilled == ("title", "cause", "remediation")
    assert record.missing == ("title", "cause", "remediation")


def broken(folder: Path, text: str) -> UnreadableRecord:
    """Read the one record of a file, which has a mistake."""
    reader = Reader(file="one.yaml", environ={}, imports=Imports(tree=Folder(folder)))
    records: dict[str, IncidentRecord] = {}
    (unreadable,) = read_records(text.encode(), reader, records)
    assert (records, reader.mistakes) == ({}, [])
    return unreadable


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ("note: none", BEGAN, OVER),
        ("start: yesterday", None, None),
        ("end: tomorrow", BEGAN, None),
        ("end: 2026-10-27T01:45:00Z", None, None),
        ("status: reviewd", BEGAN, OVER),
        ("start: {}", None, None),
    ],
)
def test_of_a_record_with_a_mistake_its_time_is_read_where_it_can_be(
    tmp_path: Path, line: str, start: datetime | None, end: datetime | None
) -> None:
    key = line.partition(":")[0]
    lines = [given for given in WHOLE.splitlines() if not given.startswith(f"{key}:")]

    unreadable = broken(tmp_path, "\n".join([*lines, line]))

    assert (unreadable.start, unreadable.end) == (start, end)
    assert (unreadable.services, unreadable.slos) == (("chat",), ())
    (mistake,) = unreadable.mistakes
    assert mistake.line == len(lines) + 1


def test_of_a_record_with_a_mistake_its_slos_are_read_too(tmp_path: Path) -> None:
    unreadable = broken(tmp_path, WHOLE.replace("service: chat", "slos: ttft") + "x: 1\n")

    assert (unreadable.services, unreadable.slos) == ((), ("ttft",))
    assert len(unreadable.mistakes) == 2


@pytest.mark.parametrize("text", ["", "[", "- 5", "a: 1\na: 2"])
def test_what_is_not_a_record_at_all_may_be_about_anything(tmp_path: Path, text: str) -> None:
    unreadable = broken(tmp_path, text)

    assert unreadable == UnreadableRecord(mistakes=unreadable.mistakes)


def test_deploys_are_read_line_by_line(tmp_path: Path) -> None:
    text = """\
{"time": "2026-10-27T13:40:00Z", "revision": "abc", "service": "chat", "change": "canary"}

{"time": "2026-10-28T13:40:00Z", "revision": 12}
"""
    first, second = deploys(tmp_path, text)

    assert first == Deployment(
        time=datetime(2026, 10, 27, 13, 40, tzinfo=UTC),
        revision="abc",
        service="chat",
        change="canary",
    )
    assert (second.revision, second.service, second.change) == ("12", None, None)


def test_no_deploy_is_not_a_mistake(tmp_path: Path) -> None:
    assert deploys(tmp_path, "\n") == ()


def test_a_mistake_in_deploys_is_reported_with_its_line_and_column(tmp_path: Path) -> None:
    text = """\
{"time": "2026-10-27T13:40:00Z", "revison": "abc"}
{"time": "yesterday", "revision": "abc"}
{"time"
"""
    found = deploy_mistakes(tmp_path, text)

    assert found[:2] == [
        "deploys.jsonl:1:34: error: unknown key 'revison'; did you mean 'revision'?",
        "deploys.jsonl:2:10: error: 'yesterday' is not a valid time;"
        " write for example 2026-11-20T14:00:00Z",
    ]
    assert found[2:] == ["deploys.jsonl:3:8: error: not valid JSON: Expecting ':' delimiter"]


@pytest.mark.parametrize(
    "line, message",
    [
        ('[{"time": "2026-10-27T13:40:00Z", "revision": "abc"}]', "expected one JSON object"),
        ("3", "expected one JSON object"),
        ("null", "expected one JSON object"),
        ('{"revision": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON: nested too"),
    ],
    ids=["list", "number", "null", "deep"],
)
def test_a_line_that_is_no_deploy_is_told(tmp_path: Path, line: str, message: str) -> None:
    (found,) = deploy_mistakes(tmp_path, f"\n{line}\n")

    assert found.startswith(f"deploys.jsonl:2:1: error: {message}")


def test_a_deploy_that_is_written_twice_counts_once(tmp_path: Path) -> None:
    line = '{"time": "2026-10-27T13:40:00Z", "revision": "abc"}\n'
    same = '{"revision": "abc", "time": "2026-10-27T14:40:00+01:00"}\n'
    other = '{"time": "2026-10-27T13:40:00Z", "revision": "abc", "id": "2"}\n'

    assert [deploy.id for deploy in deploys(tmp_path, line + same + other + line)] == [None, "2"]


def test_deploys_that_are_not_a_text_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "deploys.jsonl"
    path.write_bytes(b'{"time": "\xff"}')

    with pytest.raises(PolicyError, match=r"deploys.jsonl:1:11: error: the file is not UTF-8 text"):
        load_deployments(str(path), {})


def test_a_file_of_deploys_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        load_deployments(str(tmp_path / "none"), {})
