"""The workflows of docs/github.md; ``python -m tests.github_action.recipes FOLDER`` writes them."""

import re
import sys
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs" / "github.md"


def recipes() -> dict[str, str]:
    """Return every workflow by its name."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return {block.split("\n", 1)[0].removeprefix("name: "): block for block in blocks}


def write(folder: Path) -> list[Path]:
    """Write each workflow as a repository would have it, and return their paths."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in recipes().items():
        paths.append(workflows / f"{name.replace(' ', '-')}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


if __name__ == "__main__":
    write(Path(sys.argv[1]))
