"""Run git: plumbing commands only, under settings that neither a change nor a user can choose.

No repository is searched for, no hook, helper, filter or pager is run, and no variable of the
caller counts: https://git-scm.com/docs/git#_environment_variables
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

SECONDS: Final = 30.0
"""The time limit of one command, even of a fetch from a slow server."""
_POSIX: Final = sys.platform != "win32"
_CLOSED: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_SSH_VARIANT": "ssh",
    "GIT_PAGER": "cat",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "XDG_CONFIG_HOME": os.devnull,
    "LC_ALL": "C",
    "LANGUAGE": "",
}
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.alternateRefsPrefixes=refs/none",
    "core.quotePath=false",
    "core.pager=cat",
    "credential.helper=",
    "diff.orderFile=/dev/null",
    "diff.relative=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.version=2",
    "submodule.recurse=false",
    "trailer.separators=:",
)
"""Settings that replace those with which a repository could run programs or change an answer."""
_LOGIN: Final = r"//[^/@\s]*@"
_UNSHOWN: Final = r"[^ -~\u00a1-\uffff]+"
"""Compiled only when git fails, since that takes 2 ms."""


class GitError(Exception):
    """Git fails; the text says why, on one line."""


def run(
    git_dir: Path,
    *arguments: str,
    given: bytes = b"",
    environ: Mapping[str, str] | None = None,
    remote: bool = False,
) -> bytes:
    """Return the output of a git command on a repository.

    Args:
        git_dir: the folder of the repository; no other one is searched for.
        arguments: a plumbing command.
        given: the standard input of git.
        environ: further variables, also for secrets, which a command line would expose.
        remote: whether the command connects to a server.

    Raises:
        GitError: git fails, takes too long, or cannot be run.
    """
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    command = [_program(), f"--git-dir={git_dir}", "--no-pager", *settings, *arguments]
    variables = _environment(environ or {}, remote=remote)
    try:
        code, out, error = _communicate(command, git_dir, variables, given)
    except (OSError, subprocess.SubprocessError) as failure:
        raise GitError(f"git cannot be run: {failure}") from failure
    if code:
        lines = error.decode("utf-8", "replace").strip().splitlines()
        # The words of a server, and an address with its login, must not be shown.
        reason = re.sub(_UNSHOWN, " ", re.sub(_LOGIN, "//", lines[0]))[:300] if lines else ""
        raise GitError(reason or f"git {arguments[0]} failed")
    return out


def _program() -> str:
    """Return the path of git; a file of that name in the working folder must not be run."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(folder, "git" if _POSIX else "git.exe")
        if path.is_absolute() and os.access(path, os.X_OK) and path.is_file():
            return str(path)
    raise GitError("git cannot be run: it is not on the PATH of this machine")


def _environment(more: Mapping[str, str], *, remote: bool) -> dict[str, str]:
    """Return the variables of a command: of git's own variables, only ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # An older git ignores GIT_CONFIG_GLOBAL; a server may need the login of ~/.netrc.
    home = {} if remote else {"HOME": os.devnull}
    return {**kept, **_CLOSED, **home, **more}


def _communicate(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], given: bytes
) -> tuple[int, bytes, bytes]:
    with subprocess.Popen(  # noqa: S603 - no shell
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=_POSIX,
    ) as process:
        try:
            out, error = process.communicate(given, timeout=SECONDS)
        except BaseException:
            _kill(process)
            raise
    return process.returncode, out, error


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End git and all processes that it started, which would keep its streams open."""
    if not _POSIX:  # pragma: no cover - Windows
        process.kill()
        return
    os.killpg(process.pid, signal.SIGKILL)


def settings_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return variables that act as settings of git: https://git-scm.com/docs/git-config."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for place, (key, value) in enumerate(settings):
        variables |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return variables
