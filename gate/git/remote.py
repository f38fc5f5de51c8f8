"""The repository on the server: the current commits of its branches and tags, and their files.

It is addressed by its URL. The only setting of the checkout that counts is the login that CI
systems leave there, in the forms in which they write it; no command in a setting is run.
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
"""The options that actions/checkout writes for a deploy key; none of them runs a program."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server."""

    url: str = field(repr=False)
    """It may contain a login, so it is not shown."""
    login: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The git settings with the login."""
    ssh: str = ""
    """The command for ssh addresses; empty: the default."""

    @property
    def host(self) -> str | None:
        """Return the server's name; None: the repository is a folder of this machine."""
        return address_of(self.url)[0]

    @property
    def path(self) -> str:
        """Return the path of the repository on its server: ``acme/chat``."""
        return address_of(self.url)[1]

    def refs(self, objects: Objects, *names: str) -> dict[str, str]:
        """Return the current commits of those refs that the server has, by their full names.

        ``HEAD`` is the name of the default branch, and ``refs/tags/v1^{}`` the object of a tag.

        Raises:
            GitError: the server does not answer.
        """
        arguments = ("ls-remote", "--quiet", "--symref", "--", self.url, *names)
        listed = self._ask(objects, *arguments).decode("utf-8", "surrogateescape")
        refs = dict[str, str]()
        for line in listed.splitlines():
            value, _, name = line.partition("\t")
            # A pattern also matches at the end of a name: refs/heads/x/refs/heads/main.
            if name in names and (name != "HEAD" or value.startswith("ref: ")):
                refs[name] = value.removeprefix("ref: ")
        return refs

    def fetch(self, objects: Objects, commit: str) -> Objects:
        """Return the objects together with a commit of the server, without its history.

        Files are fetched when they are read, if the server supports that.

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
    """Return the server in an address and the path of the repository there, ``acme/chat``.

    The server is None if it is a folder of this machine.
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
    """Return the remote of a checkout, with the login in its settings.

    Args:
        settings: the settings of the checkout.
        url: the address of another repository on the same server; None: that of ``origin``.

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
    """Return the command that actions/checkout writes for a key; empty for any other command."""
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
