"""The policies that are ready to use: sound as they are, and each says whom it is for and why."""

import json
import re
from pathlib import Path

import pytest

from gate.errors import ExitCode
from tests.command import gate

ROOT = Path(__file__).parent.parent
CASES = sorted((ROOT / "policies").glob("*.test.yaml"))
POLICIES = sorted({*(ROOT / "policies").iterdir()} - {*CASES})


def header(path: Path) -> str:
    """Return the comment at the top, without its signs and line ends."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next(place for place, line in enumerate(lines) if not line.startswith("#"))
    return re.sub(r"\s+", " ", " ".join(line.removeprefix("#") for line in lines[:end])).strip()


def test_there_are_policies_and_nothing_else() -> None:
    assert len(POLICIES) >= 4
    assert {path.suffix for path in POLICIES} == {".yaml"}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_ready_policy_is_sound_without_a_word(path: Path) -> None:
    done = gate("validate", str(path.relative_to(ROOT)), cwd=ROOT)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{path.relative_to(ROOT)}: sound\n"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_its_header_says_what_it_is_for_whom_and_where_its_numbers_come_from(path: Path) -> None:
    text = header(path)
    title, found, rest = text.partition(" For: ")

    assert title.endswith("."), "the first sentence says what it promises"
    assert found
    assert re.match(r"a team\b", rest)
    assert re.search(r" Run: .*gate check \S*policies/" + re.escape(path.name), rest)
    assert re.search(r" Numbers[^:]*: .+", rest)
    assert re.search(r"https://\S+|Site Reliability Workbook|use your own", rest), "a source"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_percentage_that_it_sets_is_spoken_of_in_its_header(path: Path) -> None:
    body = "\n".join(
        line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()
    )
    objectives = re.findall(r"objective: ([0-9.]+)%", body)
    assert objectives
    spoken = header(path)

    for objective in objectives:
        budget = f"{100 - float(objective):g}"
        assert f"{objective}%" in spoken or f"{budget}%" in spoken or f"P{objective}" in spoken


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_never_forbids_a_rollback(path: Path) -> None:
    """Rollbacks are allowed in every tier, and by `on` when the monitoring is down."""
    text = path.read_text(encoding="utf-8")
    tiers = re.findall(r"allow: (all|\[[^\]]*\])", text)

    assert tiers
    assert all(allow == "all" or "rollback" in allow for allow in tiers)
    assert re.search(r"^\s+except: \[rollback\]", text, re.MULTILINE)


@pytest.mark.variants(1)
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_its_cases_show_what_it_says_and_pass(path: Path) -> None:
    done = gate("test", str(path.relative_to(ROOT)), cwd=ROOT, env={"PROMETHEUS_URL": None})

    assert (done.exit_code, done.stderr) == (0, "")
    assert "FAILED" not in done.stdout


def test_every_file_of_cases_belongs_to_a_policy() -> None:
    names = {path.name for path in POLICIES}

    assert {path.name.replace(".test.yaml", ".yaml") for path in CASES} == names


@pytest.mark.variants(1)
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_its_cases_try_every_tier(path: Path) -> None:
    done = gate("test", str(path.relative_to(ROOT)), "--format", "json", cwd=ROOT)
    tiers = re.findall(r"^  - (?:\{)?name: ([\w-]+)", text_of_tiers(path), re.MULTILINE)

    assert tiers
    assert set(tiers) <= {case["tier"] for case in json.loads(done.stdout)["policies"][0]["cases"]}


def text_of_tiers(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\ntiers:\n")[2].partition("\n\n")[0]


@pytest.mark.variants(1)
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_threshold_of_a_tier_is_held_by_a_case(path: Path, tmp_path: Path) -> None:
    """A tier that begins a tenth of the budget lower, or higher, fails a case."""
    text = path.read_text(encoding="utf-8")
    cases = path.with_name(f"{path.stem}.test.yaml").read_text(encoding="utf-8")
    (tmp_path / "gate.test.yaml").write_text(cases, encoding="utf-8")
    thresholds = list(re.finditer(r'remaining: "(>=?) (\d+)%"', text))
    assert thresholds

    for threshold in thresholds:
        for moved in (int(threshold[2]) - 10, int(threshold[2]) + 10):
            line = f'remaining: "{threshold[1]} {moved}%"'
            mutant = text[: threshold.start()] + line + text[threshold.end() :]
            (tmp_path / "gate.yaml").write_text(mutant, encoding="utf-8")
            done = gate("test", "gate.yaml", cwd=tmp_path)
            assert done.exit_code == ExitCode.FINDINGS, f"{threshold[0]} may as well be {moved}%"
