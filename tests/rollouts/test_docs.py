"""docs/rollouts.md shows what the manifests have."""

import re
from typing import Any, Final

import yaml

from gate import __version__
from tests.rollouts.manifests import TEMPLATES, one

PAGE: Final = (TEMPLATES.parent / "docs" / "rollouts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def block_with(key: str) -> Any:
    """Return the value of a key in the only block of YAML that has it."""
    (found,) = [
        document[key] for block in blocks("yaml") if key in (document := yaml.safe_load(block))
    ]
    return found


def test_the_strategy_of_the_page_is_that_of_the_rollout() -> None:
    rollout = one("argo-rollouts/rollout.yaml", "Rollout", "chat")
    assert block_with("strategy") == rollout["spec"]["strategy"]


def test_the_command_of_the_page_is_that_of_the_canary() -> None:
    hooks = one("flagger/canary.yaml", "Canary", "chat")["spec"]["analysis"]["webhooks"]
    assert block_with("cmd") in [hook["metadata"]["cmd"] for hook in hooks]


def test_the_images_have_this_version_and_what_the_manifests_start() -> None:
    files = blocks("dockerfile")
    assert len(files) == 2
    for text in files:
        assert f"error-budget-gate=={__version__}" in text
        assert "USER 65532" in text
    for name in ("argo-rollouts/analysis.yaml", "flagger/loadtester.yaml"):
        manifest = (TEMPLATES / name).read_text(encoding="utf-8")
        assert re.search(rf"image: registry\.example/gate[-a-z]*:{__version__}\n", manifest)
        assert "runAsUser: 65532" in manifest


def test_the_page_has_each_webhook_of_the_canary() -> None:
    hooks = one("flagger/canary.yaml", "Canary", "chat")["spec"]["analysis"]["webhooks"]
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(hook["type"] for hook in hooks)
