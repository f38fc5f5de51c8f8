"""The demo's month, written once."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
POLICY, READY = "docs/demo/policy.yaml", "policies/rag-composite.yaml"


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the policy and the logs, placed as they are in the project."""
    folder = tmp_path_factory.mktemp("month")
    write_month = runpy.run_path(str(ROOT / "docs/demo/generate.py"))["write_month"]
    write_month(folder / "demo")
    for policy in (POLICY, READY):
        (folder / policy).parent.mkdir(parents=True)
        (folder / policy).write_bytes((ROOT / policy).read_bytes())
    return folder
