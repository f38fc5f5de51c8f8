"""The rows of a log as a preset knows them: in the backend's block, and in the preset's file."""

from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Deduplication, Records
from gate.config.load import load
from gate.config.preset import KINDS, Preset
from gate.config.presets import PRESET, load_preset
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader, UnreadableError, compose
from tests.config.texts import assert_mistake, policy, slo

OBJECTIVE, WINDOW = "objective: 99%", "window: 30d"
ERRORS = slo(OBJECTIVE, WINDOW, "sli: {preset: litellm-payload/errors}")


def backend(more: str) -> str:
    return f"backend: {{type: logs, path: a.jsonl, {more}}}\n"


def records_of(path: Path, more: str) -> Records:
    path.write_text(policy(backend=backend(more), slos=ERRORS))
    settings = load(str(path), {}).settings
    assert isinstance(settings, LogsSettings)
    return settings.records


def test_a_backend_takes_what_the_preset_knows_of_the_rows(tmp_path: Path) -> None:
    records = records_of(tmp_path / "gate.yaml", "records: litellm-payload")

    assert (records.name, records.timestamp) == ("litellm-payload", "startTime")
    assert records.columns["error_information"] == "JSON"
    assert records.optional == {"metadata"}


def test_a_policy_has_the_last_word_on_zone_and_format(tmp_path: Path) -> None:
    more = "records: litellm-payload, time_zone: Europe/Berlin, format: csv"

    records = records_of(tmp_path / "gate.yaml", more)

    assert (records.time_zone, records.format) == (ZoneInfo("Europe/Berlin"), "csv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "records: ¦litellm-payloads",
            "no preset knows the rows of 'litellm-payloads'; did you mean 'litellm-payload'?",
        ),
        (
            "records: ¦litellm",
            "no preset knows the rows of 'litellm'; did you mean 'litellm-payload'?",
        ),
    ],
)
def test_records_are_a_preset_for_logs(more: str, message: str) -> None:
    slos = slo(OBJECTIVE, WINDOW, "sli: {bad: status >= 500}")

    assert_mistake(policy(backend=backend(more), slos=slos), message)


@pytest.mark.parametrize("more", ["", "records: nginx, timestamp: ts", "time_zone: UTC"])
def test_either_the_time_or_the_records_are_given(more: str) -> None:
    slos = slo(OBJECTIVE, WINDOW, "sli: {bad: status >= 500}")
    text = policy(backend=backend(more).replace(": {type", ": ¦{type"), slos=slos)

    assert_mistake(
        text,
        "either timestamp is given, the column of the time, or records: the preset that knows the"
        " rows",
    )


@pytest.mark.parametrize("more", ["timestamp: startTime", "records: nginx"])
def test_a_preset_needs_the_rows_that_it_is_written_for(more: str) -> None:
    text = policy(backend=backend(more), slos=ERRORS.replace("- name", "- ¦name"))

    assert_mistake(
        text,
        (
            "availability: the preset litellm-payload/errors reads rows of its own form; set"
            " backend.records: litellm-payload"
        ),
    )


def test_an_option_without_a_safe_guess_must_be_given() -> None:
    sli = "sli: ¦{preset: langfuse-scores/hallucination, threshold: 0.5}"

    assert_mistake(
        policy(backend=backend("records: langfuse-scores"), slos=slo(OBJECTIVE, WINDOW, sli)),
        (
            "langfuse-scores/faithfulness: the option 'better' is missing; add options:"
            " {better: higher or lower} (whether a good answer has a value of at least the"
            " threshold (higher) or of at most it (lower))"
        ),
    )


def test_a_text_that_only_the_team_knows_must_be_given_and_be_of_its_form() -> None:
    options = "options: ¦{better: lower, name: it's}"
    sli = f"sli: {{preset: langfuse-scores/content-safety, threshold: 0.5, {options}}}"

    assert_mistake(
        policy(backend=backend("records: langfuse-scores"), slos=slo(OBJECTIVE, WINDOW, sli)),
        ("langfuse-scores/content-safety: the option 'name' does not match [A-Za-z0-9_. :/-]+"),
    )


def preset(head: str) -> tuple[Preset | None, list[str]]:
    """Read a preset file that measures nothing; return it or what is wrong with it."""
    missing = "".join(f"  {kind}: {{missing: none}}\n" for kind in KINDS)
    text = f"title: Tiny\nabout: a log\nsources: [here]\n{head}indicators:\n{missing}"
    reader = Reader(file="tiny.yaml", environ={}, imports=Imports(tree=Folder(Path())))
    try:
        return PRESET.read(compose(text, reader), reader), []
    except UnreadableError:
        return None, [mistake.message for mistake in reader.mistakes]


def test_a_preset_file_says_all_of_the_rows() -> None:
    found, _ = preset(
        "backend: logs\nrecords:\n  timestamp: at\n  time_zone: UTC\n  format: jsonl\n"
        "  columns: {at: BIGINT, why: JSON}\n  optional: [why]\n  unnest: [batches, spans]\n"
        "  deduplicate: {key: [id], order_by: [version]}\n"
    )

    assert found is not None
    assert found.records == Records(
        timestamp="at",
        time_zone=found.records.time_zone if found.records else UTC,
        format="jsonl",
        columns={"at": "BIGINT", "why": "JSON"},
        optional=frozenset({"why"}),
        unnest=("batches", "spans"),
        deduplicate=Deduplication(key=("id",), order_by=("version",)),
    )


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("backend: logs\n", "records belong to a backend that reads rows, and it needs them"),
        (
            "backend: prometheus\nrecords: {timestamp: at}\n",
            "records belong to a backend that reads rows, and it needs them",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, optional: [why, when]}\n",
            "these need a type in columns: when, why",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, each: [spans]}\n",
            "unknown key 'each'; it is called unnest now",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, newest: {of: [id], by: [version]}}\n",
            "unknown key 'newest'; it is called deduplicate now",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, deduplicate: {of: [a], order_by: [b]}}\n",
            "unknown key 'of'; it is called key now",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, deduplicate: {key: [a], by: [b]}}\n",
            "unknown key 'by'; it is called order_by now",
        ),
        (
            "backend: logs\nrecords: {timestamp: at, unnest: [spans], columns: {why: JSON}}\n",
            "these need a type in columns: at",
        ),
    ],
)
def test_a_preset_file_that_contradicts_itself_is_refused(head: str, message: str) -> None:
    assert preset(head) == (None, [message])


def test_the_presets_for_logs_are_the_choices_of_the_schema() -> None:
    from gate.cli.schema import policy_schema  # noqa: PLC0415

    logs: dict[str, Any] = policy_schema()["properties"]["backend"]["oneOf"][1]
    choices = logs["properties"]["records"]["anyOf"][0]["enum"]

    assert "otlp-spans" in choices
    assert all(load_preset(name).backend == "logs" for name in choices)
