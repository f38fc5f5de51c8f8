"""Check that a tag may be released, and print the release's notes.

Usage: python .github/release/check.py TAG OWNER/REPOSITORY

The tag must name the version in gate/__init__.py, the addresses in pyproject.toml must be those of
the repository, and CHANGELOG.md must have a section for the version, which becomes the notes.
Exit codes: 0 may be released, 1 may not.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def notes(version: str) -> str:
    """Return what the changelog says about a version; an empty text where it has no section."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?$"
    section = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return section[1].strip() if section else ""


def mistakes(tag: str, repository: str) -> list[str]:
    """Return why the tag may not be released from this repository, one sentence each."""
    source = (ROOT / "gate" / "__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.*)"$', source, re.MULTILINE)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    address = f"https://github.com/{repository}"
    sentences = []
    if version != [tag.removeprefix("v")] or not tag.startswith("v"):
        sentences.append(f"the tag {tag} is not v and the version in gate/__init__.py: {version}")
    if not notes(tag.removeprefix("v")):
        sentences.append(f"CHANGELOG.md has no section for {tag.removeprefix('v')}")
    sentences += [
        f"[project.urls] in pyproject.toml: {name} is {url}, which is not within {address}"
        for name, url in pyproject["project"]["urls"].items()
        if url != address and not url.startswith(f"{address}/")
    ]
    return sentences


if __name__ == "__main__":
    (TAG, REPOSITORY) = sys.argv[1:]
    if sentences := mistakes(TAG, REPOSITORY):
        sys.exit("\n".join(sentences))
    print(notes(TAG.removeprefix("v")))
