"""docs/platforms.md: its policies are sound, and it has what the backends have."""

import re
from pathlib import Path

import pytest

from gate.backends import BACKENDS, registration
from tests.command import Run

PAGE = (Path(__file__).parent.parent / "docs" / "platforms.md").read_text(encoding="utf-8")
POLICIES = re.findall(r"```yaml\n(backend:.*?)```", PAGE, re.DOTALL)
HEAD = "version: 1\nservice: chat\n"
SLOS = "slos: [{name: up, objective: 99%, window: 30d, sli: {slo: Chat availability}}]\n"
TIERS = "tiers: [{name: all, otherwise: true, allow: all}]\n"


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_sound(policy: str, tmp_path: Path, gate: Run) -> None:
    text = HEAD + policy + ("" if "slos:" in policy else SLOS) + TIERS
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    names = re.findall(r"\$\{(\w+)\}", policy)
    done = gate(
        "validate", "gate.yaml", cwd=tmp_path, env=dict.fromkeys(names, "https://a.example")
    )

    assert (done.exit_code, done.stderr) == (0, ""), done.stdout


def test_every_platform_is_in_a_policy_of_the_page() -> None:
    platforms = {kind for kind in BACKENDS if registration(kind).indicators == {"platform"}}
    shown = {kind for policy in POLICIES for kind in re.findall(r"type: ([\w-]+)", policy)}

    assert "elastic" in platforms & shown
    # The section of each platform is written with its backend.
    filled = {kind for kind in platforms if f"type: {kind}" in PAGE}
    assert filled <= shown
