"""The policies that are ready to use: sound as they are, and each says whom it is for and why."""

import re
from pathlib import Path

import pytest

from tests.command import gate

ROOT = Path(__file__).parent.parent
POLICIES = sorted((ROOT / "policies").iterdir())


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
    assert re.search(r"https://\S+|Site Reliability Workbook|put your own", rest), "a source"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_percentage_that_it_sets_is_spoken_of_in_its_header(path: Path) -> None:
    body = "\n".join(
        line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()
    )
    objectives = re.findall(r"objective: ([0-9.]+)%", body)
    assert objectives
    spoken = header(path).replace(" %", "%")

    for objective in objectives:
        budget = f"{100 - float(objective):g}"
        assert f"{objective}%" in spoken or f"{budget}%" in spoken or f"P{objective}" in spoken


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_never_forbids_a_rollback(path: Path) -> None:
    """What the command would warn of, and what `on` says of a monitoring that is down."""
    text = path.read_text(encoding="utf-8")
    tiers = re.findall(r"allow: (all|\[[^\]]*\])", text)

    assert tiers
    assert all(allow == "all" or "rollback" in allow for allow in tiers)
    assert re.search(r"^\s+except: \[rollback\]", text, re.MULTILINE)
