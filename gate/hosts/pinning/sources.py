"""The sources for the current version of a branch: the server of the repository, and its API."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final, Protocol
from urllib.parse import urlsplit

from gate.decision.decision import Context
from gate.git import GitError
from gate.git.objects import Objects
from gate.git.remote import Remote, remote_of
from gate.git.repository import FULL_HASH
from gate.hosts.git import Checkout

_NO_CHECKOUT: Final = "the policy is not in a git checkout"
_SERVERS: Final = {"github": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL"}
_SSH: Final = ("ssh", "altssh")
"""A prefix that SSH servers of a host may have."""


class HostFiles(Protocol):
    """The questions to a code host about the run's repository. All methods raise LookupError."""

    def base_branch(self, pull: int) -> str:
        """Return the branch that a pull request currently goes into."""
        ...

    def default_branch(self) -> str:
        """Return the name of the default branch."""
        ...

    def commit(self, ref: str) -> str | None:
        """Return the commit of a ref, ``refs/heads/main``; None: no such ref."""
        ...

    def file(self, path: str, commit: str) -> bytes | None:
        """Return a file as it is in a commit, given by its full hash; None: it has no such file."""
        ...


class Sources:
    """The server and the code host for one checkout of a run."""

    def __init__(
        self,
        context: Context,
        environ: Mapping[str, str],
        checkout: Checkout | None,
        host: HostFiles | None,
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            context: the context of the run.
            environ: the environment of the process.
            checkout: the checkout that the policy is in; None: it is not in one, and only the API
                is asked.
            host: the code host of the run's repository; None without a token.
        """
        self.context, self.checkout = context, checkout
        self._environ, self._host = environ, host

    @cached_property
    def objects(self) -> Objects:
        """The objects of the checkout.

        Raises:
            GitError: the run has no checkout.
        """
        if self.checkout is None:
            raise GitError(_NO_CHECKOUT)
        return self.checkout.objects

    @cached_property
    def remote(self) -> Remote:
        """The server's repository that the run is about.

        Raises:
            GitError: the checkout has none, or another repository.
        """
        settings, project = self.settings, self._environ.get("CI_MERGE_REQUEST_PROJECT_URL")
        path = self._environ.get("CI_MERGE_REQUEST_PROJECT_PATH")
        if self.context.system == "gitlab" and project and path != self.context.repository:
            return self._with_job_token(remote_of(settings, f"{project}.git"))
        origin = remote_of(settings)
        if self._is_of_the_run(origin):
            return self._with_job_token(origin)
        server, name = self._server, self.context.repository
        if server and self.is_the_change:
            return self._with_job_token(remote_of(settings, f"{server}/{name}"))
        raise GitError(f"the remote 'origin' is {origin.path}, another repository than {name}")

    @cached_property
    def host(self) -> HostFiles | None:
        """The code host, if it has the repository of this checkout; None: it cannot be asked.

        It knows the repository of the run, but no other repository that was checked out beside it.
        """
        if self._host is None or self.checkout is None or self.is_the_change:
            return self._host
        try:
            return self._host if self._is_of_the_run(remote_of(self.settings)) else None
        except GitError:
            return None

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The configuration of the checkout's repository.

        Raises:
            GitError: the run has no checkout.
        """
        if self.checkout is None:
            raise GitError(_NO_CHECKOUT)
        return self.checkout.repository.settings()

    @cached_property
    def is_the_change(self) -> bool:
        """Whether the checkout has the commit that the run is about, or its trial merge."""
        checkout, revision = self.checkout, self.context.revision
        if checkout is None or not isinstance(revision, str) or not FULL_HASH.fullmatch(revision):
            return False
        try:
            head = checkout.head()
            header = checkout.objects.read(head).partition(b"\n\n")[0].decode("utf-8", "replace")
        except GitError:
            return False
        return revision == head or f"\nparent {revision}" in header

    @property
    def _server(self) -> str | None:
        return self._environ.get(_SERVERS.get(self.context.system, "")) or None

    def _is_of_the_run(self, origin: Remote) -> bool:
        name = self.context.repository
        if name is None:
            return True
        if origin.host is None:
            # A folder of this machine has no such name. A fork is not where the pull request is.
            pull = self.context.pull_request
            if not (self.context.system == "github" and self.context.no_secrets and pull):
                return True
            head = f"refs/pull/{pull}/head"
            return head in origin.refs(self.objects, head)
        server = urlsplit(self._server or "").hostname
        servers = {server, *(f"{before}.{server}" for before in _SSH)}
        return origin.path.lower() == name.lower() and (server is None or origin.host in servers)

    def _with_job_token(self, remote: Remote) -> Remote:
        """Log in like a GitLab job: a checkout may lack the login that it was made with."""
        token, server = self._environ.get("CI_JOB_TOKEN"), self._server
        if self.context.system != "gitlab" or not token or not server or "@" in remote.url:
            return remote
        pair = base64.b64encode(f"gitlab-ci-token:{token}".encode()).decode()
        login = (f"http.{server}/.extraheader", f"Authorization: Basic {pair}")
        return replace(remote, login=(*remote.login, login))
