"""Files that the gate writes, never through a link in the checkout.

The author of a pull request may commit ``gate.sarif`` as a link to ``~/.bashrc``, or the folder of
that file as a link. So below the top of the checkout (without a checkout: the working folder), no
part of a path may be a link; outside of it, the machine's own links (``/tmp`` of macOS) are
followed.
"""

import errno
import os
from pathlib import Path
from typing import BinaryIO, Final

_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)
_PLAIN: Final = getattr(os, "O_BINARY", 0)
_BY_FOLDER = bool(_NOFOLLOW) and os.open in os.supports_dir_fd
"""Whether the system can open a file relative to an open folder; Windows cannot."""
LINKED: Final = (
    "it leads through a symbolic link in the checkout; name a file that does not, or one outside"
)


def open_to_write(path: str | Path, *, append: bool = False, folders: bool = False) -> BinaryIO:
    """Open a file to replace or to append to it, without a buffer.

    Args:
        path: absolute, or relative to the working folder; also a device, such as ``/dev/stdout``.
        append: keep the present content, which can also be read; each write goes to the end.
        folders: whether to create the missing folders of the path.

    Raises:
        OSError: it cannot be opened; its ``strerror`` is `LINKED` if a part of the path is a link.
    """
    way = os.O_RDWR | os.O_APPEND if append else os.O_WRONLY | os.O_TRUNC
    flags = way | os.O_CREAT | _PLAIN
    full = Path(os.path.normpath(Path.cwd() / path))
    top, parts = _below_checkout(full)
    if not parts:
        if folders:
            full.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(full, flags, 0o666)
    else:
        if _is_linked(top, parts):
            raise OSError(errno.ELOOP, LINKED)
        if folders:
            top.joinpath(*parts).parent.mkdir(parents=True, exist_ok=True)
        descriptor = _opened(top, parts, flags)
    return os.fdopen(descriptor, "wb", buffering=0)


def create_whole(path: str | Path, text: str) -> None:
    """Write a file such that it has the old text or all of the new one at any time.

    Raises:
        OSError: it cannot be written, or a part of its path is a link in the checkout.
    """
    full = Path(path)
    beside = full.with_name(f".{full.name}.{os.getpid()}")
    try:
        with open_to_write(beside) as file:
            data = memoryview(text.encode("utf-8", "replace"))
            while data:  # a nearly full disk writes only a part
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        beside.replace(full)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _below_checkout(full: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the top of the checkout, and the parts of the path below it; no parts: outside."""
    here = Path.cwd()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    if full.is_relative_to(top):
        return top, full.relative_to(top).parts
    for parent in full.parents:  # the same folder may have another path: /tmp and /private/tmp
        if parent.exists() and parent.samefile(top):
            return top, full.relative_to(parent).parts
    return top, ()


def _is_linked(top: Path, parts: tuple[str, ...]) -> bool:
    """Return whether a part is a link, or a junction of Windows."""
    full = top.joinpath(*parts)
    expected = Path(os.path.realpath(top)).joinpath(*parts)
    # A link to itself is its own real path.
    return full.is_symlink() or Path(os.path.realpath(full)) != expected


def _opened(top: Path, parts: tuple[str, ...], flags: int) -> int:
    """Open folder by folder, so that no part can become a link after its check."""
    if not _BY_FOLDER:
        return os.open(top.joinpath(*parts), flags, 0o666)
    folder = os.open(top, os.O_RDONLY | _DIRECTORY)
    try:
        for name in parts[:-1]:
            inner = os.open(name, os.O_RDONLY | _DIRECTORY | _NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], flags | _NOFOLLOW, 0o666, dir_fd=folder)
    finally:
        os.close(folder)
