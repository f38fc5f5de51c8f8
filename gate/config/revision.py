"""Of which commit a policy's files are, and whether they differ from it."""

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from gate.git import GitError
from gate.git.objects import Entry, blob_id
from gate.git.repository import find_repository
from gate.parsing.trees import CommitTree


def revision_of(
    path: Path, texts: Mapping[str, bytes], patterns: Sequence[str]
) -> tuple[str | None, bool]:
    """Return the commit that is checked out, and whether a policy's files differ from it.

    What differs in its line ends alone is the same, as a checkout for Windows has it.

    Args:
        path: of the policy.
        texts: what was read, by name from the policy's folder; the policy's own among them.
        patterns: globs of the files that the policy reads; one that is gone differs, too.

    Returns:
        None and False outside of a checkout, and where a file was never committed.
    """
    folder = path.absolute().parent
    repository = find_repository(folder)
    if repository is None:
        return None, False
    place = folder.relative_to(repository.top).parts
    try:
        head, objects = repository.head_and_objects()
        tree = CommitTree(objects, head, place)
        entries = {name: objects.look_up(head, (*place, *name.split("/"))) for name in texts}
        listed = {posixpath.normpath(name) for glob in patterns for name in tree.find(glob)}
    except GitError:
        return None, False  # no git, or no commit: a policy need not have one
    if None in entries.values():
        return None, False
    same = all(
        entry is not None and _is(entry, texts[name], objects.form)
        for name, entry in entries.items()
    )
    return head, not same or not listed <= texts.keys()


def _is(entry: Entry, text: bytes, form: str) -> bool:
    return entry.id in {blob_id(text, form), blob_id(text.replace(b"\r\n", b"\n"), form)}
