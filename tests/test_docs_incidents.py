"""docs/incidents.md: its files are read as they stand there, and its words are the program's."""

import json
import re
from pathlib import Path

import click

from gate.analysis.incidents.words import output
from gate.cli.incidents import incidents
from gate.config.known_incidents import load_deployments, load_known_incidents
from gate.history.incidents import IncidentEnding
from gate.history.records import RecordStatus
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.reporters.incidents import DEPLOY, RECORD, explained, report, service

TEXT = (Path(__file__).parent.parent / "docs" / "incidents.md").read_text(encoding="utf-8")


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert isinstance(found, str)
    return found


def test_the_files_are_read_as_they_stand_there(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(snippet("yaml"), encoding="utf-8")
    (tmp_path / "deploys").write_text(snippet("json"), encoding="utf-8")

    (record,) = load_known_incidents([str(tmp_path)], {})
    (deploy,) = load_deployments(str(tmp_path / "deploys"), {})

    assert (record.id, deploy.revision) == ("INC-42", "abc1234")
    assert all(status in snippet("yaml") for status in RecordStatus)


def test_every_option_is_reported() -> None:
    options = [one for one in incidents.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    for one in options:
        if one.opts[0] in {"--last", "--threshold", "--step"}:
            assert f"`{one.opts[0]} {one.default}`" in TEXT


def test_every_key_of_the_report_is_reported() -> None:
    one = service(explained(records=(RECORD,), deploys=(DEPLOY,)))
    document = json.loads(render_page("json", output(report(one)), Style()))
    (told,) = document["services"]
    (incident,) = told["incidents"]

    keys = {*told, *incident, *incident["slos"][0], *told["slos"][0]}
    assert {key for key in keys - {"service", "source"} if f"`{key}`" not in TEXT} == set()
    assert all(f"`{ending}`" in TEXT for ending in IncidentEnding)
