"""The statements of the README on the command are true."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from gate import __version__
from gate.errors import ExitCode
from tests.command import Result, gate
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import END, LAST, Counter, write_openmetrics

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TICKS = range(LAST + 1)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table after these words."""
    table = README.split(heading, 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0]
    lines = f"|{table}".splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


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
    slow = [number // 100 for number in passed]
    first_tokens = "vllm:time_to_first_token_seconds"
    latencies = (
        *(
            Counter(
                name=f"{first_tokens}_bucket",
                labels=f'model_name="m",le="{bound}"',
                events=[number - late for number, late in zip(passed, lates, strict=True)],
            )
            for bound, lates in (("2.5", slow), ("+Inf", [0] * len(slow)))
        ),
        Counter(name=f"{first_tokens}_count", labels='model_name="m"', events=passed),
    )
    folder = tmp_path_factory.mktemp("vllm")
    with (folder / "history.om").open("w", encoding="utf-8") as file:
        write_openmetrics((*counters, *latencies), file)
    backfill(folder / "history.om", folder / "data")
    with prometheus(folder / "server", folder / "data") as server:
        yield server.url


def test_the_first_policy_blocks_a_model_update_and_lets_a_canary_ship(
    tmp_path: Path, vllm: str
) -> None:
    (tmp_path / "gate.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    codes, shown = {}, {}
    for change in ("model-update", "canary"):
        arguments = ("check", "gate.yaml", "--change", change, "--at", END.isoformat())
        done = run(tmp_path, *arguments, PROMETHEUS_URL=vllm)
        codes[change], shown[change] = done.exit_code, " ".join(done.stdout.split())
    assert codes == {"model-update": 10, "canary": 0}
    # Of a budget of 1,000 failures 820 are gone.
    assert "BLOCK model-update of chat" in shown["model-update"]
    assert "18.0% of its budget is left" in shown["model-update"]
    assert "Allowed now bug-fix, canary, rollback, security-patch" in shown["model-update"]
    assert "@acme/llm-platform" in shown["model-update"]


def test_the_lines_of_use_it_lead_from_nothing_to_a_decision(tmp_path: Path, vllm: str) -> None:
    (lines,) = (block for block in blocks("bash") if "gate check" in block)
    codes = []
    for line in lines.splitlines():
        _, *arguments = shlex.split(line, comments=True)
        # The server's month ends at a fixed instant, and the readers' ends now. What is watched has
        # passed, so that nothing waits.
        instants = dict.fromkeys(("doctor", "status", "check"), END) | {
            "watch": END - timedelta(hours=2)
        }
        at = ("--at", instants[arguments[0]].isoformat()) if arguments[0] in instants else ()
        done = run(tmp_path, *arguments, *at, PROMETHEUS_URL=vllm)
        codes.append((arguments[0], done.exit_code))
    *before, watched = codes
    assert before == [("init", 0), ("validate", 0), ("doctor", 0), ("status", 0), ("check", 0)]
    # The server's series have no label track, so that nothing is known of a canary.
    assert watched == ("watch", 3)


def test_the_snippet_for_github_is_that_of_the_pages_and_of_the_action() -> None:
    (snippet,) = (text for text in blocks("yaml") if "steps:" in text)
    steps = yaml.safe_load(snippet)["steps"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    pages = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    for line in re.findall(r"uses: (.+)", snippet):
        assert f"uses: {line}\n" in pages
    (step,) = (step for step in steps if step.get("uses", "").startswith("acme/gate@"))
    assert step.keys() == {"uses", "env"}
    # Without any input the policy is the one that gate init writes.
    assert action["inputs"]["policies"]["default"] == "gate.yaml"
    assert f"# v{__version__}\n" in snippet


def test_the_snippet_for_gitlab_uses_inputs_that_there_are() -> None:
    (include,) = yaml.safe_load(next(text for text in blocks("yaml") if "include:" in text))[
        "include"
    ]
    template = (ROOT / "templates/gate/template.yml").read_text(encoding="utf-8")
    spec = next(yaml.safe_load_all(template))
    assert include["inputs"].keys() <= spec["spec"]["inputs"].keys()
    assert include["component"] in (ROOT / "docs" / "gitlab.md").read_text(encoding="utf-8")


def test_the_table_of_exit_codes_is_whole() -> None:
    assert [int(code) for code, _ in rows("Ready policies:")] == list(map(int, ExitCode))


def test_every_ready_policy_is_linked() -> None:
    linked = set(re.findall(r"\((policies/[^)]+)\)", README))
    ready = {str(path.relative_to(ROOT)) for path in ROOT.glob("policies/*.yaml")}
    assert linked == {path for path in ready if not path.endswith(".test.yaml")}


def test_it_has_at_most_130_lines() -> None:
    assert len(README.splitlines()) <= 130


def test_every_guarantee_links_to_the_test_that_holds_it() -> None:
    section = README.split("## What it guarantees\n\n", 1)[1].split("\n\n", 1)[0]
    guarantees = re.split(r"^\* ", section, flags=re.MULTILINE)[1:]
    assert len(guarantees) >= 5
    for guarantee in guarantees:
        assert re.match(r"\*\*[A-Z][^*]+\*\*", guarantee)
        links = re.findall(r"\]\((tests/[\w/]+\.py)#(test_\w+)\)", guarantee)
        assert links, guarantee
        for path, name in links:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_picture_is_there_light_and_dark() -> None:
    dark = re.findall(r'<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">', README)
    light = re.findall(r'<img alt="[^"]{40,}" src="([^"]+)">', README)
    assert [path.replace("-dark.", "-light.") for path in dark] == light
    for path in (*dark, *light):
        assert (ROOT / path).stat().st_size < 300_000


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_of_a_newcomer_are_there(target: str) -> None:
    assert f"make {target}\n" in blocks("bash") or f"`make {target}` runs every test" in README
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0


@pytest.mark.slow
def test_the_changelog_keeps_to_its_format() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= kinds
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == "Unreleased"
