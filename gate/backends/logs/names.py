"""Names of log files, without what their rotation and compression add."""

import re
from typing import Final

COMPRESSED: Final = (".gz", ".zst")
_ROTATED: Final = re.compile(r"[.-][0-9][0-9T._-]*$")
"""What logrotate adds to a name: ``.1``, ``-20261129``."""


def plain_name(name: str) -> str:
    """Return the name that a file had before it was rotated or packed."""
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return _ROTATED.sub("", name) or name
