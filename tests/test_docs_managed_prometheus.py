"""The examples of docs/managed-prometheus.md are policies that can be read."""

import re
from pathlib import Path

import pytest

from gate.backends.prometheus.settings import PrometheusSettings
from gate.config.load import load

PAGE = Path(__file__).parent.parent / "docs" / "managed-prometheus.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
REST = """\
version: 1
service: chat
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {bad: 'a{code="500"}', total: a}}
tiers:
  - {name: healthy, remaining: "> 0%", allow: all}
  - {name: spent, otherwise: true, allow: [rollback]}
"""
VARIABLES = ("METRICS_ACCESS_KEY", "METRICS_SECRET_KEY", "METRICS_CLIENT_SECRET")


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_a_backend_that_can_be_opened(example: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0k3n")
    path = tmp_path / "gate.yaml"
    path.write_text(REST + example, encoding="utf-8")
    settings = load(str(path), dict.fromkeys(VARIABLES, "s3cr3t")).settings

    assert isinstance(settings, PrometheusSettings)
    assert settings.login is not None or settings.bearer == "t0k3n"
    assert "s3cr3t" not in repr(settings)


def test_there_is_an_example_of_every_login() -> None:
    text = "".join(EXAMPLES)

    for login in ("sigv4", "oauth2", "google", "azure", "parameters", "method"):
        assert f"{login}:" in text
