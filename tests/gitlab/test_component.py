"""The component, end to end: gitlab-ci-local runs its job, with the real command."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import click
import pytest

from gate import __version__
from tests.gitlab.project import POLICY, ROOT, Project, counts

slow = pytest.mark.slow
"""On all but one pipeline that runs as it should, and one with hostile inputs."""

REQUIRING = POLICY.replace("allow: all", "allow: all, require: {canary: [shadow, load test]}")
REQUIRING += "claims: allowed\n"


def wheel(folder: Path, version: str) -> Path:
    """Make a wheel of this checkout that says it is of another version."""
    path = folder / f"error_budget_gate-{version}-py3-none-any.whl"
    about = f"error_budget_gate-{version}.dist-info"
    with ZipFile(path, "w") as archive:
        for file in [*(ROOT / "gate").rglob("*.py"), *(ROOT / "gate").rglob("*.json")]:
            text = file.read_text(encoding="utf-8").replace(f'"{__version__}"', f'"{version}"')
            archive.writestr(file.relative_to(ROOT).as_posix(), text)
        known = f"Metadata-Version: 2.1\nName: error-budget-gate\nVersion: {version}\n"
        archive.writestr(f"{about}/METADATA", known)
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{about}/WHEEL", tag)
        script = "[console_scripts]\ngate = gate.__main__:run\n"
        archive.writestr(f"{about}/entry_points.txt", script)
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.mark.parametrize(
    "text, gate, variables",
    [
        (counts(400), "PASS", ["allow", "0", "canary", "healthy", "60.0"]),
        pytest.param(
            *(counts(820), "WARN 11", ["warn", "11", "canary", "caution", "18.0"]), marks=slow
        ),
        pytest.param(
            *(counts(1500), "FAIL 10", ["block", "10", "canary", "exhausted", "-50.0"]), marks=slow
        ),
        pytest.param("counts: {}\n", "FAIL 3", ["undecided", "3", "canary", "", ""], marks=slow),
    ],
    ids=["allow", "warn", "block", "undecided"],
)
def test_the_verdict_is_the_end_of_the_job_and_is_in_every_report(
    project: Project, text: str, gate: str, variables: list[str]
) -> None:
    project.write({"counts.yaml": text})

    outcome = project.run()

    assert outcome.gate == gate
    read = dict(line.split("=", 1) for line in outcome.text("gate.env").splitlines())
    names = ["VERDICT", "EXIT_CODE", "CHANGE_CLASS", "TIER", "REMAINING"]
    assert [read[f"GATE_{name}"] for name in names] == variables
    assert all(re.fullmatch("[A-Z0-9_]+", name) for name in read)
    assert len(outcome.text("gate.env").encode()) < 5_120
    assert outcome.json("decision.json")["verdict"] == variables[0]
    cases = [case.get("name") for case in ET.fromstring(outcome.text("junit.xml")).iter("testcase")]
    assert len(cases) == len(set(cases)) > 0
    objections = outcome.json("codequality.json")
    assert bool(objections) is (variables[0] != "allow")
    assert {one["location"]["path"] for one in objections} <= {"gate.yaml"}
    (link,) = outcome.json("annotations.json")["gate"]
    assert link["external_link"]["url"] == "https://grafana.example/d/chat"
    assert link["external_link"]["label"].startswith(variables[0].upper())


@slow
def test_the_job_that_deploys_reads_the_verdict_also_after_a_warning(project: Project) -> None:
    project.write({"counts.yaml": counts(820)})

    outcome = project.run()

    assert (outcome.code, "> deployed on warn" in outcome.told) == (0, True)


@slow
@pytest.mark.parametrize("bad, shipped", [(820, True), (1500, False)])
def test_the_job_that_deploys_can_verify_the_decision_as_the_docs_say(
    project: Project, bad: int, shipped: bool
) -> None:
    line = "gate verify gate-reports/decision.json --environment production || [ $? -eq 11 ]"
    assert f"    - {line}\n" in (ROOT / "docs" / "gitlab.md").read_text(encoding="utf-8")
    project.write({"counts.yaml": counts(bad)})
    verifying = {"stage": "deploy", "before_script": [line], "script": ["echo is shipped"]}
    project.pipeline({"environment": "production"}, verifying=verifying)

    assert ("> is shipped" in project.run().told) is shipped


@slow
@pytest.mark.parametrize("bad, gate", [(820, "FAIL 11"), (1500, "FAIL 10")])
def test_where_no_failure_is_allowed_nothing_is_deployed_on_a_warning_either(
    project: Project, bad: int, gate: str
) -> None:
    # Of an exit code that is not listed, gitlab-ci-local 4.68.1 says that the job has failed, but
    # it goes on: that a pipeline stops can be seen only with the simple form.
    project.write({"counts.yaml": counts(bad)})
    project.pipeline(gate={"allow_failure": False})

    outcome = project.run()

    assert (outcome.gate, outcome.code) == (gate, 1)
    assert "> deployed" not in outcome.told


@slow
def test_reports_of_an_earlier_gate_are_not_mistaken_for_those_of_one_that_could_not_run(
    project: Project,
) -> None:
    earlier = {
        "stage": "build",
        "script": ["mkdir -p gate-reports", "echo GATE_VERDICT=allow > gate-reports/gate.env"],
        "artifacts": {"paths": ["gate-reports/"]},
    }
    late = {"stage": "deploy", "when": "always", "script": ['echo "told <$GATE_VERDICT>"']}
    project.write({"gate.yaml": POLICY.replace("owners", "owner")})
    project.pipeline(earlier=earlier, late=late)

    outcome = project.run()

    assert outcome.gate == "FAIL 2"
    assert "told <>" in outcome.told


@slow
def test_the_package_is_installed_and_goes_before_what_the_image_has(
    project: Project, tmp_path: Path
) -> None:
    project.pipeline({"package": str(wheel(tmp_path, "9.9.9"))})
    # What it depends on is there already, so that no network is needed.
    there = str(Path(click.__file__).parents[1])

    outcome = project.run(PIP_NO_INDEX="1", PIP_NO_DEPS="1", PYTHONPATH=there)

    assert outcome.gate == "PASS"
    assert outcome.json("decision.json")["tool_version"] == "9.9.9"


@slow
def test_what_cannot_be_installed_ends_as_no_verdict(project: Project) -> None:
    project.pipeline({"package": "./not-there"})

    assert project.run().gate == "FAIL 1"


@slow
def test_a_freeze_of_gitlab_is_one_of_the_gate(project: Project) -> None:
    outcome = project.run(CI_DEPLOY_FREEZE="true")

    assert outcome.gate == "FAIL 10"
    rules = [one["rule"] for one in outcome.json("decision.json")["policies"][0]["findings"]]
    assert "freeze" in rules


HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "a'; touch pwned; '",
    'a"; touch pwned; "',
    'a\\" && touch pwned',
    "* ~ ; | & # <x>",
    "--dry-run",
    "two\nlines",
]
TEXTS = ["\n".join(HOSTILE), *(pytest.param(text, marks=slow) for text in HOSTILE)]


@pytest.mark.parametrize("text", TEXTS)
def test_no_input_is_run_and_each_arrives_as_it_is(project: Project, text: str) -> None:
    project.write({"gate.yaml": REQUIRING})
    project.pipeline({"environment": text, "met": f"shadow={' '.join(text.split())}"})

    outcome = project.run()

    decision = outcome.json("decision.json")
    assert decision["context"]["environment"] == text
    assert decision["policies"][0]["satisfied"] == {"shadow": " ".join(text.split())}
    assert (outcome.gate, decision["observe"]) == ("FAIL 10", False)  # load test is still missing
    assert not list(project.folder.rglob("pwned"))


@slow
def test_lists_are_split_at_line_ends_only(project: Project) -> None:
    other = REQUIRING.replace("service: chat", "service: rag")
    project.write({"gate.yaml": REQUIRING, "my gate *.yaml": other, "my gate 2.yaml": "no policy"})
    lines = {"policies": "gate.yaml\nmy gate *.yaml", "met": "shadow=1 2\nload test=*"}
    project.pipeline(lines)

    decision = project.run().json("decision.json")

    assert [one["service"] for one in decision["policies"]] == ["chat", "rag"]
    assert decision["policies"][0]["satisfied"] == {"shadow": "1 2", "load test": "*"}


@slow
def test_an_override_ships_and_is_recorded_as_one(project: Project) -> None:
    project.write({"counts.yaml": counts(1500)})
    project.pipeline(
        {
            "override": "outage of the old model",
            "override_approved_by": "@grace",
            "override_until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(
                timespec="seconds"
            ),
            "record": "gate-reports/log.jsonl",
        }
    )

    outcome = project.run()

    assert outcome.gate == "PASS"
    (line,) = outcome.text("log.jsonl").splitlines()
    assert json.loads(line)["verdict"] == "block"
    assert "GATE_OVERRIDDEN=true" in outcome.text("gate.env")


@slow
def test_as_a_component_of_a_catalog_it_runs_the_same(project: Project) -> None:
    address = "ssh://git@gitlab.example:22/acme/chat.git"
    project.git("config", "--global", f"url.file://{project.folder}.insteadOf", address)
    project.git("config", "--global", "protocol.file.allow", "always")
    project.git("tag", "0.1.0")
    project.pipeline(include={"component": "$CI_SERVER_FQDN/$CI_PROJECT_PATH/gate@0.1.0"})

    assert project.run().gate == "PASS"


@slow
@pytest.mark.parametrize(
    "branch, variables, listed",
    [
        ("main", {}, True),
        ("feature", {"CI_PIPELINE_SOURCE": "merge_request_event"}, True),
        ("feature", {"CI_COMMIT_TAG": "1.0.0"}, True),
        ("feature", {"CI_PIPELINE_SOURCE": "push"}, False),
    ],
)
def test_it_is_part_of_merge_requests_the_default_branch_and_tags(
    project: Project, branch: str, variables: dict[str, str], listed: bool
) -> None:
    project.git("checkout", "--quiet", "-B", branch)

    told = project.run("--list", **variables).told

    assert bool(re.search(r"^gate ", told, re.MULTILINE)) is listed
    assert re.search(r"^deploy ", told, re.MULTILINE)


@slow
def test_two_gates_in_one_pipeline_have_names_stages_and_rules_of_their_own(
    project: Project,
) -> None:
    project.write({"counts.yaml": counts(1500)})
    inputs = {"job_name": "may we?", "stage": "build", "rules": [{"when": "always"}]}
    project.pipeline(inputs | {"dry_run": True, "impact": "canary=10%"})

    outcome = project.run()

    assert re.search(r"^may we\? +finished in [\d.]+ m?s$", outcome.told, re.MULTILINE)
    assert outcome.json("decision.json")["observe"] is True
