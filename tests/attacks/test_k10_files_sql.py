"""A change writes no file outside by links that it commits, and SQL takes no more than its time."""

import json
import os
import resource
import subprocess
import time
from pathlib import Path

import pytest

from tests.attacks.world import World
from tests.cli.installed import POLICY, command
from tests.command import environment

VICTIM = "export PATH=/usr/bin\n"
LINKS = {
    "a file": ("gate.sarif", "{victim}", "gate.sarif"),
    "a relative link": ("gate.sarif", "../victim", "gate.sarif"),
    "a link to git's settings": ("gate.sarif", ".git/config", "gate.sarif"),
    "a link to a hook that is not there": ("gate.sarif", ".git/hooks/post-checkout", "gate.sarif"),
    "a folder": ("reports", "{folder}", "reports/victim"),
    "a folder in the repository": ("reports", ".git/hooks", "reports/post-checkout"),
    "a folder of a folder": ("a/reports", "{folder}", "a/reports/victim"),
    "a link to a link": ("gate.sarif", "other", "gate.sarif"),
}


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("option", ["--write=sarif={}", "--write=markdown={}", "--record={}"])
def test_no_report_is_written_through_a_link_of_the_change(
    world: World, name: str, option: str
) -> None:
    victim = world.folder / "victim"
    victim.write_text(VICTIM, encoding="utf-8")
    place, target, path = LINKS[name]
    world.change()
    (world.work / place).parent.mkdir(exist_ok=True)
    (world.work / place).symlink_to(target.format(victim=victim, folder=world.folder))
    (world.work / "other").symlink_to(victim)
    world.commit("feat: reports")
    world.open()
    world.check_out()
    settings = (world.checkout / ".git" / "config").read_text(encoding="utf-8")

    result = world.run("--change", "model-update", option.format(path))

    assert result.exit_code == 10  # reporting never decides
    assert f"{path} could not be written" in result.stderr
    assert "link in the checkout" in result.stderr
    assert victim.read_text(encoding="utf-8") == VICTIM
    assert (world.checkout / ".git" / "config").read_text(encoding="utf-8") == settings
    assert not (world.checkout / ".git" / "hooks" / "post-checkout").exists()


def test_a_file_of_the_checkout_and_one_outside_are_written(world: World) -> None:
    world.change()
    world.open()
    world.check_out()
    outside = world.folder / "gate.json"

    result = world.run(
        "--change", "model-update", "--write=sarif=gate.sarif", f"--write=json={outside}"
    )

    assert result.exit_code == 10
    assert "could not be written" not in result.stderr
    assert json.loads((world.checkout / "gate.sarif").read_text(encoding="utf-8"))["version"]
    assert json.loads(outside.read_text(encoding="utf-8"))["verdict"] == "block"


@pytest.mark.parametrize("word", ["init", "report"])
def test_no_file_that_is_requested_is_written_through_a_link(world: World, word: str) -> None:
    victim = world.folder / "victim"
    victim.write_text(VICTIM, encoding="utf-8")
    (world.work / "new.yaml").symlink_to(victim)
    world.commit("feat: a link")
    world.pushed()
    world.check_out()
    words = ("init", "new.yaml", "--force") if word == "init" else ("report", "-o", "new.yaml")

    done = subprocess.run(
        command(*words, *(("gate.yaml",) if word == "report" else ())),
        cwd=world.checkout,
        env=environment(world.environment()),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode != 0
    assert victim.read_text(encoding="utf-8") == VICTIM


EXPRESSIONS = (
    "list_sum(range(3000000000)) > 0",
    "list_sum(generate_series(1, 3000000000)) > 0",
    "len(repeat(route, 3000000000)) > 0",
    "len(rpad(route, 2000000000, 'xy')) > 0",
    "len(replace(replace(replace(route, 'x', text), 'a', text), 'b', text)) > 0",
    "len(list_resize([1], 3000000000)) > 0",
    "list_reduce([text, text, text], lambda a, b: a || a || b) = ''",
    "[x for x in range(3000000000)] IS NULL",
    "format('{:1000000000}', route) = ''",
    "bitstring('0', 2000000000)::VARCHAR = ''",
    "levenshtein(text, text) > 0",
    "len(url_encode(url_encode(url_encode(text)))) > 0",
    "text LIKE '%a%b%a%b%a%b%a%b%a%b%a%b%c'",
    " || ".join(f"sha256(text || '{number}')" for number in range(400)) + " = ''",
)
GRACE = 7
"""Seconds for the start, and for DuckDB to stop, on a busy machine."""


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_sql_takes_no_more_than_its_time_and_memory(tmp_path: Path, expression: str) -> None:
    row = {"ts": "2026-11-20T10:00:00Z", "route": "x", "status": 200, "text": "ab" * 200_000}
    (tmp_path / "log.jsonl").write_text(f"{json.dumps(row)}\n" * 40, encoding="utf-8")
    backend = "{type: logs, path: log.jsonl, timestamp: ts}"
    policy = POLICY.replace("{type: static, path: counts.yaml}", backend)
    sli = f"window: 30d, sli: {json.dumps({'bad': expression})}}}"
    (tmp_path / "gate.yaml").write_text(policy.replace("window: 30d}", sli), encoding="utf-8")
    words = ("check", "gate.yaml", "--change", "canary", "--timeout", "1s")
    begin = time.monotonic()

    with subprocess.Popen(
        command(*words, "--at", "2026-11-23T10:00:00Z"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)

    assert process.returncode == 3
    assert time.monotonic() - begin < 1 + GRACE
    assert usage.ru_maxrss < 4_000_000  # KiB
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
