"""Some rows of both tables through the installed command, at the present."""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.installed import command
from tests.command import environment
from tests.evaluations.corpus.bases import DEEPEVAL, INSPECT, JUNIT, PROMPTFOO
from tests.evaluations.corpus.scene import KEY, Base, Scene


def run(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd=scene.folder,
        env=environment({"GATE_SIGNING_KEY": KEY}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def begun(folder: Path, base: Base, age: timedelta = timedelta(minutes=10)) -> Scene:
    """Return a scene whose tool ran just now."""
    scene = Scene.begin(folder / "repository", base)
    renew(scene, age)
    return scene


def renew(scene: Scene, age: timedelta = timedelta(minutes=10)) -> None:
    ran_at = f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%S}"
    text = scene.file.read_text(encoding="utf-8")
    scene.write(re.sub(r"2026-11-28T\d\d:\d\d:\d\d", ran_at, text))


@pytest.mark.parametrize("base", [PROMPTFOO, INSPECT], ids=["promptfoo", "inspect"])
def test_a_file_that_names_its_commit_is_accepted(base: Base, tmp_path: Path) -> None:
    scene = begun(tmp_path, base)

    checked = run(scene, *scene.arguments)

    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert "196 of 200 cases passed" in checked.stdout


@pytest.mark.variants(1)
@pytest.mark.parametrize("base", [DEEPEVAL, JUNIT], ids=["deepeval", "junit"])
def test_a_file_is_accepted_once_it_is_attested(base: Base, tmp_path: Path) -> None:
    scene = begun(tmp_path, base)
    policy = scene.folder / "gate.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("24h", "1h"), encoding="utf-8")

    before = run(scene, *scene.arguments)
    attested = run(scene, "attest", "--commit", "HEAD", *scene.results)
    after = run(scene, *scene.arguments)

    assert (before.returncode, attested.returncode, after.returncode) == (3, 0, 0)
    assert "run gate attest" in " ".join(before.stdout.split())


def failed(scene: Scene) -> None:
    scene.take("promptfoo/fail.json")
    renew(scene)


def truncated(scene: Scene) -> None:
    scene.write(scene.file.read_bytes()[:-100])


def old(scene: Scene) -> None:
    scene.take("promptfoo/pass.json")
    renew(scene, timedelta(hours=25))


def ahead(scene: Scene) -> None:
    scene.take("promptfoo/pass.json")
    renew(scene, timedelta(hours=-1))


def deep(scene: Scene) -> None:
    scene.write('{"a":' * 200_000)


def gone(scene: Scene) -> None:
    scene.file.unlink()


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("act", "ends", "says"),
    [
        (failed, 10, "150 of 200 cases passed"),
        (truncated, 3, "not complete JSON"),
        (old, 3, "too old"),
        (ahead, 3, "later than this check"),
        (deep, 3, "nested too deeply"),
        (gone, 3, "no file matches"),
    ],
)
def test_a_doctored_file_is_refused(
    act: Callable[[Scene], None], ends: int, says: str, tmp_path: Path
) -> None:
    scene = begun(tmp_path, PROMPTFOO)
    act(scene)

    checked = run(scene, *scene.arguments)

    assert checked.returncode == ends, checked.stdout + checked.stderr
    assert says in " ".join(checked.stdout.split())
