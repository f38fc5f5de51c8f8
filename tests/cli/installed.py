"""The installed command, and a small policy to run it on."""

import sys
from datetime import datetime
from pathlib import Path

GATE = Path(sys.executable).with_name("gate")
AT = "2026-11-01T00:00:00Z"
END = datetime.fromisoformat(AT)

POLICY = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 30d}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: caution, remaining: "> 10%", allow: [canary, bug-fix, rollback], warn: [config-change]}
  - name: exhausted
    otherwise: true
    allow: [security-patch, rollback]
    require: {security-patch: [shadow]}
claims: allowed
"""
LOGS = POLICY.replace(
    "{type: static, path: counts.yaml}", "{type: logs, path: log.jsonl, timestamp: ts}"
).replace("window: 30d}", "window: 7d, sli: {bad: status >= 500}}")
"""The same on request logs, over seven days."""


def command(*arguments: str) -> list[str]:
    """Return the command line of the installed program, for what only a process can show."""
    return [str(GATE), *arguments]
