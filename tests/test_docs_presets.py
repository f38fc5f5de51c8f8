"""The statements of docs/presets.md on the presets are true."""

import re
from pathlib import Path

import pytest
import yaml

from gate.cli.main import COMMANDS
from gate.config.preset import KINDS
from gate.config.presets import measurable
from tests.config.texts import BACKEND, HEAD, TIERS, read

DOCS = (Path(__file__).parent.parent / "docs" / "presets.md").read_text(encoding="utf-8")


def rows(head: str) -> dict[str, str]:
    table = DOCS.partition(head)[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `([a-z_-]+)` \| (.*) \|$", table, re.MULTILINE))


def test_every_kind_is_listed_with_what_it_counts() -> None:
    listed = {kind: text.partition(";")[0] for kind, text in rows("| Kind |").items()}

    assert listed == {kind: text.partition(";")[0] for kind, text in KINDS.items()}


def test_every_option_that_presets_share_is_listed() -> None:
    used: dict[str, set[str]] = {}
    for name, _, indicator in measurable():
        for key in indicator.options:
            used.setdefault(key, set()).add(name.partition("/")[0])

    assert {key for key, servers in used.items() if len(servers) > 2} <= rows("| Option |").keys()
    assert rows("| Option |").keys() <= used.keys()


def test_the_commands_are_there() -> None:
    assert set(re.findall(r"^\$ gate (\w+)", DOCS, re.MULTILINE)) <= COMMANDS.keys()


@pytest.mark.parametrize("snippet", re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL))
def test_every_snippet_is_sound(snippet: str) -> None:
    assert yaml.safe_load(snippet)
    _, mistakes = read(HEAD + BACKEND + snippet + TIERS, offline=True)

    assert mistakes == []
