"""The policies of one checkout, from the commit that counts, with the text of the change."""

import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from gate.config.load import PolicyFile, Proposal, load_pinned
from gate.errors import Mistake, UndecidedError
from gate.git import GitError
from gate.git.objects import LARGEST, MissingObjectError, NoPathError, Objects, TooLargeObjectError
from gate.git.repository import working_folder
from gate.hosts.pinning import Wanted
from gate.hosts.pinning.commits import CommitFinder, Pinned
from gate.hosts.pinning.local_files import LocalFileCheck
from gate.hosts.pinning.places import parts_inside
from gate.hosts.pinning.sources import HostFiles
from gate.parsing.files import Tree
from gate.parsing.trees import CommitTree, links_that_lead_to

_FIRST = (
    "A first policy counts once a reviewed change has added it there; or whoever owns the"
    " pipeline sets the policy's ref to 'none', which reads the checkout as it is"
)
_ELSEWHERE = (
    "For policies in a separate repository, whoever owns the pipeline sets the policy's ref to"
    " 'none', which reads them as they are"
)


class PinnedCheckout:
    """A reader of policies from the commit that counts."""

    def __init__(
        self,
        finder: CommitFinder,
        environ: Mapping[str, str],
        wanted: Wanted | str,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            finder: finds the commit.
            environ: the environment of the process.
            wanted: the place that counts, or the name of a commit.
        """
        self._finder, self._sources = finder, finder.sources
        self._checkout, self._environ = finder.sources.checkout, environ
        self._wanted = wanted

    def read(self, path: str, parts: Sequence[str]) -> PolicyFile:
        """Read a policy.

        Args:
            path: the path as the user gave it.
            parts: the parts of its path from the top of the checkout.

        Raises:
            PolicyError: its text is not valid.
            UsageError: the ref is not valid.
            UndecidedError: the commit has no such policy, or the commit is unknown.
            GitError: git fails.
            LookupError: the code host does not answer.
        """
        pinned = self._pinned
        self._check_entrance()
        raw, tree = self._text(parts)
        if raw is None:
            raise UndecidedError(
                f"{pinned.name} has no file {path}, and the one of the change does not count."
                f" {_FIRST}"
            )
        file = load_pinned(
            path, self._environ, raw, tree, pinned.commit, self._proposal(pinned, parts)
        )
        self._check_local_files(file)
        if not pinned.note:
            return file
        note = Mistake(file=path, line=1, column=1, message=pinned.note, fatal=False)
        return replace(file, warnings=(*file.warnings, note))

    @cached_property
    def _pinned(self) -> Pinned:
        wanted = self._wanted
        if isinstance(wanted, str):
            return self._finder.named(wanted)
        return self._finder.counting(wanted)

    @cached_property
    def _objects(self) -> Objects | None:
        """The tree of the commit; None: only the code host has it.

        Raises:
            GitError: they cannot be read.
        """
        if self._checkout is None:
            return None
        commit = self._pinned.commit
        try:
            objects = self._checkout.objects
            if objects.commit(commit) == commit:
                return objects
            return self._sources.remote.fetch(objects, commit)
        except GitError:
            if self._sources.host is None:
                raise
            return None

    def _text(self, parts: Sequence[str]) -> tuple[bytes | None, Tree]:
        """Return the text of a policy (None: no such file), and the tree of the files beside it."""
        pinned, objects, host = self._pinned, self._objects, self._sources.host
        if objects is None:
            return _host(host).file(posixpath.normpath("/".join(parts)), pinned.commit), _NoTree()
        try:
            return _file(objects, pinned, parts)
        except MissingObjectError:
            # A partial clone has the commit, but not all of its files.
            objects = self._sources.remote.fetch(objects, pinned.commit)
            self.__dict__["_objects"] = objects
            return _file(objects, pinned, parts)
        except NoPathError as error:
            raise UndecidedError(
                f"{'/'.join(parts)} cannot be read as {pinned.name} has it: {error}. {_ELSEWHERE}"
            ) from error

    def _proposal(self, pinned: Pinned, parts: Sequence[str]) -> Proposal | None:
        """Return the policy in the commit of the change; None: it is the same."""
        if self._checkout is None:
            return None
        with suppress(GitError):
            objects, head = self._checkout.objects, self._checkout.head()
            if head == pinned.commit:
                return None
            raw: bytes | None = None
            try:
                entry = objects.look_up(head, parts)
                raw = objects.read(entry.id) if entry is not None and entry.is_file else None
            except NoPathError:
                pass  # it leads out of the repository, where no policy of the change is
            except TooLargeObjectError:
                raw = bytes(LARGEST + 1)  # a substitute: what reads proposals refuses its size
            return Proposal(raw=raw, tree=CommitTree(objects, head, tuple(parts[:-1])))
        return None

    def _check_entrance(self) -> None:
        """Refuse a working folder that a link of the change may have led to.

        The system knows where a process is, but not by which path it went there.
        """
        if self._checkout is None:
            return
        top, named = self._checkout.repository.top, working_folder(self._environ)
        inside, real = parts_inside(named, top), parts_inside(Path.cwd(), top.resolve())
        if inside is None or inside != real:
            return  # not in the checkout; or the name is known, and was looked at
        objects, base, head = self._objects, self._pinned.commit, self._checkout.head()
        if objects is None:
            links = links_that_lead_to(self._checkout.objects, None, head, inside)
        else:
            links = links_that_lead_to(objects, base, head, inside)
        link = next(links, None)
        if link is not None:
            raise UndecidedError(
                f"{link} is a link that {self._pinned.name} has not, and it leads to the working"
                " folder, which may have been entered by it. Name the policy from the top of the"
                " checkout, and run there"
            )

    def _check_local_files(self, file: PolicyFile) -> None:
        """Refuse counts and other files of the backend that come from the change."""
        if self._checkout is None:
            return
        check = LocalFileCheck(
            checkout=self._checkout,
            folder=working_folder(self._environ),
            commit=self._pinned.commit,
            base=self._objects,
            host=self._sources.host,
        )
        flaw = check.flaw(file.settings)
        if flaw is not None:
            raise UndecidedError(
                f"{file.source.path}: its backend reads {flaw}. It counts once it is the same as in"
                f" {self._pinned.name}: keep it out of the repository, or merge it first"
            )


def _host(host: HostFiles | None) -> HostFiles:
    if host is None:
        raise LookupError(
            "the policy is not in a git checkout, and there is no token to ask the code host with"
        )
    return host


def _file(objects: Objects, pinned: Pinned, parts: Sequence[str]) -> tuple[bytes | None, Tree]:
    tree = CommitTree(objects, pinned.commit, tuple(parts[:-1]))
    entry = objects.look_up(pinned.commit, parts)
    if entry is None:
        return None, tree
    if not entry.is_file:
        raise NoPathError("it is not a file there")
    return objects.read(entry.id), tree


class _NoTree:
    """The files of a commit that only the code host has: its API does not list files."""

    def find(self, pattern: str) -> Sequence[str]:
        raise GitError(f"{pattern} needs a checkout that has the commit; fetch more of the history")

    def read(self, name: str) -> bytes:  # pragma: no cover - what is not found is not read
        raise GitError(name)
