"""Read the policies of a run, each from the commit that counts in its checkout."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gate.config.load import PolicyFile, load
from gate.decision.decision import Context
from gate.errors import UndecidedError
from gate.git import GitError
from gate.git.repository import Repository, find_repository, working_folder
from gate.hosts.pinning import AUTO, NONE, REMEDY, Wanted, wanted_of
from gate.hosts.pinning.places import parts_inside

if TYPE_CHECKING:
    from gate.hosts.pinning.pinned import PinnedCheckout
    from gate.hosts.pinning.sources import HostFiles


class PolicyReader:
    """A reader of the policies of one run; it looks up the commit of each checkout once."""

    def __init__(
        self,
        context: Context,
        environ: Mapping[str, str],
        host: "HostFiles | None",
        ref: str = AUTO,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            context: the context of the run.
            environ: the environment of the process.
            host: the run's repository on its code host; None without a token.
            ref: the ref that the policies are read from: `AUTO`, `NONE`, or the name of a commit.
        """
        self._context, self._environ, self._host = context, environ, host
        self._wanted = wanted_of(context, environ) if ref == AUTO else ref
        self._checkouts: dict[Path | None, PinnedCheckout] = {}

    def __call__(self, path: str) -> PolicyFile:
        """Read a policy file, with the files that it refers to.

        Raises:
            PolicyError: its text is not valid.
            UsageError: the ref is not valid.
            UndecidedError: the text that counts is unknown; the message says what to do.
        """
        if self._wanted is None or self._wanted == NONE:
            return load(path, self._environ)
        try:
            place = self._place(path)
            if place is None:
                return load(path, self._environ)
            repository, parts = place
            return self._checkout(repository, self._wanted).read(path, parts)
        except (GitError, LookupError) as error:
            reason = f"it is not known which text of {path} counts: {error}"
            raise UndecidedError(f"{reason}. {REMEDY}") from error

    def _checkout(self, repository: Repository | None, wanted: Wanted | str) -> "PinnedCheckout":
        # only in CI systems
        from gate.hosts.git import Checkout  # noqa: PLC0415
        from gate.hosts.pinning.commits import CommitFinder  # noqa: PLC0415
        from gate.hosts.pinning.pinned import PinnedCheckout  # noqa: PLC0415
        from gate.hosts.pinning.sources import Sources  # noqa: PLC0415

        top = None if repository is None else repository.top
        if top not in self._checkouts:
            checkout = None if top is None else Checkout(top, top)
            sources = Sources(self._context, self._environ, checkout, self._host)
            self._checkouts[top] = PinnedCheckout(CommitFinder(sources), self._environ, wanted)
        return self._checkouts[top]

    def _place(self, path: str) -> tuple[Repository | None, tuple[str, ...]] | None:
        """Return the checkout that a policy is in, and its path there; None: it is not in one.

        Without a repository, it is a workspace that was filled without git.
        """
        here = working_folder(self._environ)
        full, named = here / path, self._context.workspace
        workspace = Path(named).absolute() if named else None
        for folder in (here, Path(os.path.normpath(full)).parent):
            repository = find_repository(folder, workspace)
            parts = None if repository is None else parts_inside(full, repository.top)
            if parts is not None:
                return repository, parts
        if workspace is not None and (parts := parts_inside(full, workspace)) is not None:
            return None, parts
        if isinstance(self._wanted, str):
            raise GitError("it is not in a git repository")
        return None
