"""The manifests of templates/, their scripts as files, and a gate that ends as a test wants it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATES: Final = Path(__file__).parents[2] / "templates"
CODES: Final = (0, 1, 2, 3, 10, 11, 12, 126, 127, 130, 137, 143, 255)
"""Exit codes of the gate, of a shell that cannot run it, and of one that a signal has ended."""
_GATE: Final = """\
#!/bin/sh
echo "$*" >> "$CALLS"
if [ -e "$CALLS.waits" ]; then
  trap 'exit "$ON_TERM"' TERM
  touch "$CALLS.running"
  while :; do sleep 0.05; done
fi
read -r code rest < "$CODES"
[ -z "$rest" ] || echo "$rest" > "$CODES"
exit "$code"
"""


def documents(name: str) -> list[dict[str, Any]]:
    """Return the documents of a file of templates/."""
    return list(yaml.safe_load_all((TEMPLATES / name).read_text(encoding="utf-8")))


def one(name: str, kind: str, called: str) -> dict[str, Any]:
    """Return the document of this kind and name."""
    (found,) = [
        document
        for document in documents(name)
        if (document["kind"], document["metadata"]["name"]) == (kind, called)
    ]
    return found


@dataclass(slots=True)
class Pod:
    """A folder with the scripts of a manifest, and a command ``gate`` on the path."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: str, folder: Path) -> "Pod":
        """Write the scripts of a manifest's ConfigMap, and the gate."""
        for name, text in one(manifest, "ConfigMap", "gate-scripts")["data"].items():
            (folder / name).write_text(text, encoding="utf-8")
        programs = folder / "bin"
        programs.mkdir()
        (programs / "gate").write_text(_GATE, encoding="utf-8")
        (programs / "gate").chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)
        calls = {"CALLS": str(folder / "calls"), "CODES": str(folder / "codes")}
        path = os.pathsep.join((str(programs), os.environ["PATH"]))
        return cls(folder, {"PATH": path, **calls})

    def ends(self, *codes: int) -> None:
        """Have the gate end with these codes, one a call; with the last one ever after."""
        (self.folder / "codes").write_text(" ".join(map(str, codes)) + "\n", encoding="utf-8")

    def waits(self, on_term: int) -> None:
        """Have the gate run until it is told to end, and end with this code then."""
        (self.folder / "calls.waits").touch()
        self.environ["ON_TERM"] = str(on_term)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a script of the folder."""
        shell, script, *arguments = command
        whole = [shutil.which(shell) or shell, str(self.folder / script), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            whole, cwd=self.folder, env=self.environ, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the folder to its end."""
        with self.start(*command) as process:
            out, said = process.communicate(timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out, said)

    def calls(self) -> list[str]:
        """Return the arguments of each call of the gate."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
