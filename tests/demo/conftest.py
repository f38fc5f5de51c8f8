"""The demo's month, written once in a run."""

import os
import runpy
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
POLICY, READY = "docs/demo/policy.yaml", "policies/rag-composite.yaml"


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the policy and the logs, placed as they are in the project.

    The first worker that needs it writes it for all. No test changes the logs.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "month"
    with folder.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # until the file is closed
        if not folder.exists():
            making = folder.with_suffix(".making")
            write_month = runpy.run_path(str(ROOT / "docs/demo/generate.py"))["write_month"]
            write_month(making / "demo")
            for policy in (POLICY, READY):
                (making / policy).parent.mkdir(parents=True)
                (making / policy).write_bytes((ROOT / policy).read_bytes())
            making.rename(folder)
    return folder
