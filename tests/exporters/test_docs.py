"""docs/export.md says what there is."""

import re
from pathlib import Path

from gate.config.load import validate_file
from gate.config.sli_schema import RECORDED
from gate.exporters import EXPORTERS
from gate.promql.expression import FINGERPRINT, rule_name

TEXT = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


def test_its_policy_is_sound(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "gate.yaml").write_text(snippet, encoding="utf-8")

    environment = {"PROMETHEUS_URL": "http://127.0.0.1:9"}
    assert validate_file(str(tmp_path / "gate.yaml"), environment) == ()


def test_its_tables_have_every_tool_format_and_name() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    words = set(re.findall(r"`([^`]+)`", prose))

    assert words >= {*RECORDED, *EXPORTERS, FINGERPRINT}
    assert words >= {rule_name(role) for role in ("total", "good", "bad")}
