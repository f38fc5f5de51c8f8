"""``gate export`` of several policies, its file, and its old order of words."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.command import Run
from tests.exporters.policies import AVAILABILITY, SPEND, write_policy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two policies, of the services chat and search."""
    path = write_policy(tmp_path, AVAILABILITY, SPEND)
    other = path.read_text(encoding="utf-8").replace("service: chat", "service: search")
    assert other.count("service: search") == 1
    (tmp_path / "search.yaml").write_text(other, encoding="utf-8")
    return tmp_path


def services(documents: list[dict[str, object]]) -> list[object]:
    return [document["service"] for document in documents]


def groups(documents: list[dict[str, list[dict[str, object]]]]) -> list[object]:
    (document,) = documents
    return [group["name"] for group in document["groups"]]


@pytest.mark.parametrize(
    ("format_", "parts", "expected"),
    [
        ("sloth", services, ["chat", "search"]),
        ("prometheus-rules", groups, ["gate-chat-availability", "gate-search-availability"]),
    ],
)
def test_several_policies_are_one_file(
    gate: Run,
    folder: Path,
    format_: str,
    parts: Callable[[list[dict[str, object]]], list[object]],
    expected: list[object],
) -> None:
    done = gate("export", "gate.yaml", "search.yaml", "--format", format_, "-o", "out.yaml")

    assert (done.exit_code, done.stdout) == (0, "")
    documents = list(yaml.safe_load_all((folder / "out.yaml").read_text(encoding="utf-8")))
    assert parts(documents) == expected
    for path in ("gate.yaml", "search.yaml"):
        assert f"gate: {path}: spend is left out: " in done.stderr


def test_one_of_two_that_has_nothing_to_write_is_left_out(gate: Run, folder: Path) -> None:
    write_policy(folder, SPEND)

    done = gate("export", "gate.yaml", "search.yaml", "-f", "sloth")

    assert done.exit_code == 0
    assert yaml.safe_load(done.stdout)["service"] == "search"


@pytest.mark.parametrize("format_", ["grafana-dashboard", "openslo"])
def test_formats_whose_names_would_be_the_same_have_one_policy(
    gate: Run, folder: Path, format_: str
) -> None:
    assert (folder / "search.yaml").is_file()
    two = gate("export", "gate.yaml", "search.yaml", "--format", format_)
    one = gate("export", "--format", format_)

    assert (two.exit_code, two.stdout) == (2, "")
    assert f"{format_} has a file for each policy; export one at a time" in two.stderr
    assert (one.exit_code, "chat" in one.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("sloth", "gate.yaml"),
            "the format is an option now: gate export gate.yaml --format sloth",
        ),
        (("openslo",), "an option now: gate export --format openslo"),
        (("gate.yaml",), "--format is missing; it is one of openslo, sloth, prometheus-rules"),
        ((), "--format is missing; it is one of openslo, sloth, prometheus-rules"),
        (("--format", "slot"), "'slot' is not one of 'openslo', 'sloth'"),
    ],
)
def test_a_format_that_is_not_an_option_is_refused_with_the_right_words(
    gate: Run, folder: Path, words: tuple[str, ...], message: str
) -> None:
    assert (folder / "gate.yaml").is_file()
    done = gate("export", *words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
