"""The first workflow of docs/github.md, as it stands there, against a real Prometheus."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.github_action.acting import act, commit
from tests.github_action.recipes import recipes
from tests.servers.metrics import Server, backfill, prometheus
from tests.servers.series import END, LAST, Counter, write_openmetrics

pytestmark = pytest.mark.slow  # test_by_act.py and test_hostile_texts_by_act.py are not

POLICY = """\
version: 1
service: chat
backend: {type: prometheus, url: "${PROMETHEUS_URL}"}
slos:
  - name: availability
    objective: 99.9%
    window: 30d
    sli: {bad: 'bad_total{job="JOB"}', total: 'all_total{job="JOB"}'}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
max_age: 1h
"""
A_MINUTE = 100


def counters(job: str, every: int) -> tuple[Counter, Counter]:
    """Return a service of a hundred requests a minute, of which one fails every so many minutes."""
    bad = [int(tick % every == 0) for tick in range(LAST + 1)]
    whole = [A_MINUTE] * (LAST + 1)
    return (
        Counter(name="bad_total", labels=f'job="{job}"', events=bad),
        Counter(name="all_total", labels=f'job="{job}"', events=whole),
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Prometheus whose month ends now."""
    folder = tmp_path_factory.mktemp("prometheus")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with (folder / "text").open("w") as file:
        write_openmetrics([*counters("calm", 50), *counters("burnt", 12)], file, now - END)
    backfill(folder / "text", folder / "data")
    with prometheus(folder, folder / "data") as one:
        yield one


@pytest.mark.parametrize(
    ("job", "ships", "left"),
    [
        ("calm", True, 1 - 1 / 50 / A_MINUTE / 0.001),
        ("burnt", False, 1 - 1 / 12 / A_MINUTE / 0.001),
    ],
)
def test_it_ships_on_a_budget_that_is_there_and_on_no_other(
    server: Server, tmp_path: Path, job: str, *, ships: bool, left: float
) -> None:
    text, shipped = recipes()["deploy"], tmp_path / "shipped"
    (used,) = re.findall(r"uses: (acme/gate@\w+)", text)
    workspace = tmp_path / "chat"
    files = {"gate.yaml": POLICY.replace("JOB", job), ".github/workflows/deploy.yaml": text}
    commit(workspace, {**files, "deploy.sh": f"#!/bin/sh\ntouch '{shipped}'\n"})
    (workspace / "deploy.sh").chmod(0o755)
    commit(workspace, {"README": "as a program"})
    done = act(tmp_path, workspace, "push", secrets={"PROMETHEUS_URL": server.url}, used=used)
    assert (done.returncode, shipped.exists()) == (0 if ships else 1, ships), done.stdout
    (told,) = set(re.findall(r"::set-output:: remaining=(.*)", done.stdout))
    assert float(told) == pytest.approx(left, abs=0.002)
