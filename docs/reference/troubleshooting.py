"""Writes docs/troubleshooting.md: what to do about each reason why a budget is not known."""

import re
from collections.abc import Iterable
from pathlib import Path

from docs.reference.text import filled
from gate.measure import Cause
from gate.measure.clickhouse_troubles import CLICKHOUSE
from gate.measure.cloud_troubles import PLATFORMS, STORES
from gate.measure.postgres_troubles import POSTGRES
from gate.measure.remedies import REMEDIES, Remedy
from gate.measure.spark_troubles import SPARK
from gate.measure.troubles import CONNECTION, HOSTS, LOGS
from gate.policy.policy import DEFAULT_ACTIONS

FRAME = Path(__file__).with_name("troubleshooting.frame.md")
TARGET = Path(__file__).parent.parent / "troubleshooting.md"
GROUPS = {
    "causes": [cause.value for cause in Cause],
    "connection": [key for key, *_ in CONNECTION],
    "logs": [key for key, *_ in LOGS],
    "stores": [key for key, *_ in STORES],
    "clickhouse": [key for key, *_ in CLICKHOUSE],
    "postgres": [key for key, *_ in POSTGRES],
    "spark": [key for key, *_ in SPARK],
    "platforms": [key for key, *_ in PLATFORMS],
    "hosts": [key for key, *_ in HOSTS],
}
"""Place in the frame -> the entries of the table of remedies that stand there."""
CODE = re.compile(
    r"CAST\([^)]*\)|NULLIF\([^)]*\)|CASE WHEN .*? END|\"startTime\""
    r"|gate (?:doctor|export)(?: gate\.yaml)?|(?:backend|on)(?:\.[a-z_]+)+|sum\(increase\(\S+\]\)\)"
    r"|\b[A-Z]+_[A-Z]+\b|\b(?:max_age|min_events)\b|https?://[\w:]*|(?<= )/[\w/]+|docs/\w+\.md"
    r"|(?<= )\*\*(?= )"
)
"""The keys, commands, variables and addresses in a remedy."""


def entries(keys: Iterable[str]) -> str:
    """Return the sections of some entries."""
    return "\n".join(map(_section, (REMEDIES[key] for key in keys)))


def _section(remedy: Remedy) -> str:
    causes = {cause.value: action for cause, action in DEFAULT_ACTIONS.items()}
    action = causes.get(remedy.key)
    default = "" if action is None else f"Key: `on.{remedy.key}`, `{action}` by default.\n\n"
    remedy_text = CODE.sub(lambda found: f"`{found[0]}`", remedy.action)
    return (
        f'<a id="{remedy.key}"></a>\n\n### {remedy.title}\n\n'
        f"{default}{filled(remedy.means)}\n\n{filled(f'**Remedy:** {remedy_text}')}\n"
    )


def render() -> str:
    """Return the page."""
    text = FRAME.read_text(encoding="utf-8")
    for name, keys in GROUPS.items():
        text = text.replace(f"<!-- {name} -->\n", entries(keys))
    return text


def main() -> None:
    """Write the page."""
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
