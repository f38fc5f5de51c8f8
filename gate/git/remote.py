"""The repository on the server: what its branches and tags are at this moment, and their files.

It is asked by its address. Of the settings of the checkout only the login counts that CI systems
leave there, in the forms in which they write it; no command of a setting is run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Final
from urllib.parse import urlsplit

from gate.dataclass import dataclass
from gate.git import GitError, run, settings_environment
from gate.git.objects import Objects

_SCP: Final = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")
"""``git@github.com:acme/chat.git``."""
_HTTP: Final = re.compile(r"http\.(?:(https?://.+)\.)?(extraheader|sslcainfo)")
_SSH_OPTION: Final = re.compile(r"(StrictHostKeyChecking|CheckHostIP|UserKnownHostsFile)=[^%`$]+")
_SSH_VALUES: Final = {"-i": re.compile(r"[^%`$]+"), "-o": _SSH_OPTION}
"""The options that actions/checkout writes for a deploy key; none of them runs anything."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server."""

    url: str = field(repr=False)
    """May hold a login, so it is not shown."""
    login: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Settings of git that log in."""
    ssh: str = ""
    """The command for addresses of ssh; empty: the usual one."""

    @property
    def host(self) -> str | None:
        """Return the server's name; None: the repository is a folder of this machine."""
        return address_of(self.url)[0]

    @property
    def path(self) -> str:
        """Return where the repository is on its server: ``acme/chat``."""
        return address_of(self.url)[1]

    def refs(self, objects: Objects, *names: str) -> dict[str, str]:
        """Return those of these refs that the server has now, by their full names.

        ``HEAD`` is the name of the default branch, and ``refs/tags/v1^{}`` for what a tag
        is of.

        Raises:
            GitError: the server does not answer.
        """
        arguments = ("ls-remote", "--quiet", "--symref", "--", self.url, *names)
        listed = self._ask(objects, *arguments).decode("utf-8", "surrogateescape")
        refs = dict[str, str]()
        for line in listed.splitlines():
            value, _, name = line.partition("\t")
            # A pattern matches at the end of a name, too: refs/heads/x/refs/heads/main.
            if name in names and (name != "HEAD" or value.startswith("ref: ")):
                refs[name] = value.removeprefix("ref: ")
        return refs

    def fetch(self, objects: Objects, commit: str) -> Objects:
        """Return the objects with a commit of the server beside them, without its history.

        Files come when they are read, where the server can do that.

        Raises:
            GitError: it cannot be fetched.
        """
        environ = self._environ() | {"GIT_NO_LAZY_FETCH": "0"}
        fetched = Objects(objects.source, form=objects.form, environ=environ)
        depth = ("--depth=1", "--no-tags", "--no-recurse-submodules", "--filter=blob:none")
        fetched.ask("fetch", "--quiet", "--no-auto-maintenance", *depth, "gate", commit)
        return fetched

    def _ask(self, objects: Objects, *arguments: str) -> bytes:
        return run(objects.folder, *arguments, environ=self._environ(), remote=True)

    def _environ(self) -> dict[str, str]:
        # Not on the command line, which every process of the machine can read.
        settings = settings_environment([("remote.gate.url", self.url), *self.login])
        return settings | ({"GIT_SSH_COMMAND": self.ssh} if self.ssh else {})


def address_of(url: str) -> tuple[str | None, str]:
    """Return the server of an address and the path of the repository there, ``acme/chat``.

    None as the server: it is a folder of this machine.
    """
    scp = _SCP.fullmatch(url)
    if "://" not in url and scp is not None:
        host, path = scp[1], scp[2]
    else:
        try:
            parts = urlsplit(url)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            host, path = "", url
    return host.lower() or None, path.strip("/").removesuffix(".git")


def remote_of(settings: Mapping[str, str], url: str | None = None) -> Remote:
    """Return the remote of a checkout, with the login that its settings have.

    Args:
        settings: of the checkout.
        url: of another repository on the same server; None: the address of ``origin``.

    Raises:
        GitError: the checkout has no ``origin``.
    """
    address = url or settings.get("remote.origin.url", "")
    if not address or address.startswith("-"):
        raise GitError("the checkout has no remote 'origin' to ask")
    return Remote(address, tuple(_logins(settings)), _ssh(settings.get("core.sshcommand", "")))


def _logins(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if _HTTP.fullmatch(key):
            yield key, value


def _ssh(command: str) -> str:
    """Return the command that actions/checkout writes for a key; nothing where it is another."""
    import shlex  # noqa: PLC0415 - for keys of actions/checkout only

    try:
        program, *rest = shlex.split(command)
    except ValueError:
        return ""
    options = list(zip(rest[::2], rest[1::2], strict=False))
    safe = all(name in _SSH_VALUES and _SSH_VALUES[name].fullmatch(v) for name, v in options)
    if program not in {"ssh", "/usr/bin/ssh"} or len(rest) % 2 or not safe:
        return ""
    return shlex.join([program, "-o", "BatchMode=yes", *rest])
