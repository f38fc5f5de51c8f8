"""The branch coverage of gate/, nearly for free: a plugin, `pytest -p tests.branch_coverage`.

SlipCover puts probes into the lines and branches of a module when it is imported. Before Python
3.14 coverage.py traces each line that runs, which takes two to four times as long. What runs in a
process that a test starts is not measured.

Each worker of a run hands over what it has seen, and the process that started them adds it up. A
branch that no test reached is named, and the run then fails.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, print_coverage

SOURCES: Final = ["gate"]
WHOLE: Final = 100.0

# Of a method of a protocol the documentation is all there is. A module that runs as a program is
# not imported, so that it has no probes.
_EXCLUDED: Final = [r"^\s*\"\"\"", r"^\s*\.\.\.$", r"assert_never\(", r"if __name__ == .__main__.:"]
# Immediate: it looks for no functions whose probes have done their work. Before Python 3.12 that
# search takes longer than the probes do.
_seen: Final = Slipcover(branch=True, immediate=True, source=SOURCES, exclude_also=_EXCLUDED)
ImportManager(_seen, FileMatcher(sources=SOURCES)).__enter__()  # until the process ends

_TOTAL: Final = pytest.StashKey[dict[str, Any]]()
_PARTS: Final = ("newly_seen", "code_lines", "code_branches")
"""SlipCover's notes by file: the lines and branches that ran, all lines, and all branches."""


def pytest_testnodedown(node: object) -> None:
    """Take over what a worker has seen; one that crashed says nothing, and fails the run itself."""
    output: Mapping[str, Mapping[str, set[Any]]] = getattr(node, "workeroutput", {})
    for part in _PARTS:
        for file, places in output.get(part, {}).items():
            getattr(_seen, part)[file] |= places


@pytest.hookimpl(tryfirst=True)  # before xdist sends the worker's output
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what this process has seen, or add it up and fail where it is not all."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output |= {part: dict(getattr(_seen, part)) for part in _PARTS}
        return
    total = _seen.get_coverage()
    session.config.stash[_TOTAL] = total
    if total["summary"]["percent_covered"] < WHOLE and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class _Lines:
    """A file that writes to the terminal of pytest."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def write(self, text: str) -> None:
        self._reporter.write(text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what no test has reached."""
    total = terminalreporter.config.stash.get(_TOTAL, None)
    if total is not None:
        print_coverage(total, outfile=_Lines(terminalreporter), skip_covered=True)
