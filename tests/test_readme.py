"""What the README says is what the command does."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gate.cli.check import check
from gate.cli.main import COMMANDS
from gate.cli.schema import policy_schema
from gate.errors import ExitCode
from gate.measure import Cause
from gate.policy.changes import BUILT_IN_CHANGES
from gate.policy.policy import DEFAULT_ACTIONS
from tests.command import Result, gate
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import END, LAST, Counter, write_openmetrics

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIERS = "tiers: [{name: all, otherwise: true, allow: all}]\n"
BACKEND = "backend: {type: prometheus, url: http://127.0.0.1:9090}\n"
TICKS = range(LAST + 1)
SLOS = "slos: [{name: up, objective: 99%, window: 30d, sli: {bad: x_total, total: y_total}}]\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table after these words."""
    table = README.split(heading, 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0]
    lines = f"|{table}".splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def run(folder: Path, *arguments: str, **more: str) -> Result:
    return gate(*arguments, cwd=folder, env={"COLUMNS": "100", **more})


MONTH = 30 * 24 * 60
AN_HOUR = range(LAST - 9 * 24 * 60, LAST - 9 * 24 * 60 + 60)
"""Nine days ago, when 820 of the month's million requests failed."""


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Prometheus that has scraped a vLLM for a month, and yield its address."""
    first = LAST - MONTH
    passed = [999_180 * (t - first) // MONTH - 999_180 * (t - first - 1) // MONTH for t in TICKS]
    failed = [820 * (t - AN_HOUR[0] + 1) // 60 - 820 * (t - AN_HOUR[0]) // 60 for t in AN_HOUR]
    by_tick = dict(zip(AN_HOUR, failed, strict=True))
    labels = 'handler="/v1/chat/completions",method="POST",status='
    counters = (
        Counter(name="http_requests_total", labels=f'{labels}"2xx"', events=passed),
        Counter(
            name="http_requests_total",
            labels=f'{labels}"5xx"',
            events=[by_tick.get(tick, 0) for tick in TICKS],
        ),
    )
    folder = tmp_path_factory.mktemp("vllm")
    with (folder / "history.om").open("w", encoding="utf-8") as file:
        write_openmetrics(counters, file)
    backfill(folder / "history.om", folder / "data")
    with prometheus(folder / "server", folder / "data") as server:
        yield server.url


def test_the_first_policy_decides_as_shown(tmp_path: Path, vllm: str) -> None:
    shown = blocks("console")[0]
    head, output = shown.split("\n", 1)
    output, code = output.rsplit("\n$ echo $?\n", 1)
    (tmp_path / "gate.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    arguments = head.removeprefix("$ gate ").split()
    done = run(tmp_path, *arguments, "--at", END.isoformat(), PROMETHEUS_URL=vllm)
    assert done.stdout.startswith(f"{output}\n")
    assert done.exit_code == int(code)


@pytest.mark.parametrize("snippet", blocks("yaml")[:-1])
def test_every_snippet_of_a_policy_is_sound(tmp_path: Path, snippet: str) -> None:
    text = snippet if "version:" in snippet else f"version: 1\nservice: chat\n{snippet}"
    text += "" if "backend:" in text else BACKEND
    text += "" if "slos:" in text else SLOS
    text += "" if "tiers:" in text else TIERS
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()
    url = "http://127.0.0.1:9090"
    done = run(
        tmp_path, "validate", "gate.yaml", PROMETHEUS_URL=url, PROMETHEUS_TOKEN="t", TENANT="a"
    )
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_worked_example_comes_out_as_worked(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text(blocks("yaml")[-1], encoding="utf-8")
    (tmp_path / "gate.yaml").write_text(
        "version: 1\nservice: chat\nbackend: {type: static, path: counts.yaml}\n"
        f"slos: [{{name: availability, objective: 99.9%, window: 30d}}]\n{TIERS}"
    )
    done = run(tmp_path, "status", "gate.yaml")
    assert "400 of 1,000,000" in done.stdout
    assert "left           60.0% (consumed 40.0%)" in done.stdout


def test_the_table_of_exit_codes_is_whole() -> None:
    assert [int(code) for code, _ in rows("### Exit codes")] == list(map(int, ExitCode))


def test_the_table_of_commands_is_whole() -> None:
    listed = [
        named(cells[0])[0].split()[1] for cells in rows("gate check gate.yaml --change canary   #")
    ]
    assert sorted(listed) == sorted(COMMANDS)


def test_the_table_of_options_is_whole() -> None:
    listed = {named(cells[0])[0].split()[0] for cells in rows("Options of `gate check`:")}
    options = [one for one in check.params if isinstance(one, click.Option)]
    assert listed == {max(one.opts, key=len) for one in options}


def test_the_table_of_causes_has_the_defaults() -> None:
    listed = {cells[0].strip("`"): cells[2].strip("`") for cells in rows("## When it cannot be")}
    assert listed == {str(cause): str(DEFAULT_ACTIONS[cause]) for cause in Cause}


def test_the_table_of_keys_is_whole() -> None:
    listed = [name for cells in rows("## The policy file") for name in named(cells[0])]
    assert sorted(listed) == sorted(policy_schema()["properties"])


def test_the_change_classes_are_listed() -> None:
    text = README.split("Change classes: ", 1)[1].split(".", 1)[0]
    assert sorted(text.replace("\n", " ").split(", ")) == sorted(BUILT_IN_CHANGES)


def test_every_ready_policy_is_linked() -> None:
    linked = set(re.findall(r"\((policies/[^)]+)\)", README))
    ready = {str(path.relative_to(ROOT)) for path in ROOT.glob("policies/*.yaml")}
    assert linked == {path for path in ready if not path.endswith(".test.yaml")}


def test_every_link_within_the_project_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_of_a_newcomer_are_there(target: str) -> None:
    assert f"make {target}\n" in blocks("bash")
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0


def test_the_changelog_keeps_to_its_format() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= kinds
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == "Unreleased"
