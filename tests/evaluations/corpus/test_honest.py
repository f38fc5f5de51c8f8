"""Every honest file of the table is accepted, however odd it looks."""

from pathlib import Path

import pytest

from tests.evaluations.corpus.honest import HONEST, Honest
from tests.evaluations.corpus.scene import Scene


@pytest.mark.variants(1)
@pytest.mark.parametrize("row", HONEST, ids=lambda row: row.name)
def test_every_honest_file_is_accepted(row: Honest, tmp_path: Path) -> None:
    scene = Scene.begin(tmp_path / "repository", row.base)
    row.act(scene)
    if row.base.attested and not scene.is_attested:
        scene.attest()

    result = scene.check()

    assert result.exit_code == 0, result.stdout + result.stderr
