"""Fixtures that the tests of the component share."""

from pathlib import Path

import pytest

from tests.gitlab.project import Project, made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return made(tmp_path)
