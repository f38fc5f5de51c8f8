"""The examples of docs/slo-files.md are read as the page describes."""

import re
from pathlib import Path

from gate.config.slo_files import FORMATS
from gate.slo.objective import CalendarWindow
from tests.config.slo_files.writing import write
from tests.config.texts import read

DOCS = Path(__file__).parents[3] / "docs" / "slo-files.md"


def test_the_examples_are_read_as_the_page_says(tmp_path: Path) -> None:
    policy, *files = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    write(tmp_path, *files)
    contents, mistakes = read(policy, {"PROMETHEUS_URL": "http://localhost:9090"}, folder=tmp_path)

    assert mistakes == []
    assert contents is not None
    slos = contents.policy.slos
    assert [(slo.name, str(getattr(slo, "window", ""))) for slo in slos] == [
        ("chat/Internal", "calendar month (Europe/Berlin)"),
        ("chat/Contract", "calendar month (Europe/Berlin)"),
        ("search-availability", "28d"),
        ("chat-latency", "28d"),
        ("tools-availability", "28d"),
        ("own", "30d"),
    ]
    assert isinstance(getattr(slos[0], "window", None), CalendarWindow)
    shown = {name for name in FORMATS if any(name in file for file in files)}
    assert shown == set(FORMATS) - {"sloth.slok.dev/v1", "openslo/v1alpha"}
