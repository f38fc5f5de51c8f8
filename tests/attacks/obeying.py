"""The commands that the agents of CI services read in the log of a job."""

import re
import unicodedata


def obeyed(text: str) -> list[str]:
    """Return the lines that GitHub's, Azure's, TeamCity's, GitLab's or Buildkite's agent obeys.

    Whatever a viewer or an agent takes away (escapes, what is not seen) is taken away first.
    """
    stripped = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    seen = "".join(c for c in stripped if unicodedata.category(c) != "Cf" and c not in "\x08\x00")
    found = []
    for line in seen.splitlines():
        if line.lstrip().startswith("::"):
            found.append(line)
        if re.search(r"##(vso|teamcity)?\[|section_(start|end):|travis_fold:", line, re.IGNORECASE):
            found.append(line)
        if re.match(r"(---|\+\+\+|~~~|\^\^\^)\s+\S", line):
            found.append(line)
    return found
