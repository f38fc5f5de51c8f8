"""The command ``gate``, and ``python -m gate``."""

import gc
from typing import Final, NoReturn

_ROOM: Final = 16_000
"""Values for which the first call reserves room on Python's stack, and as much is free after it.

The stack grows by pieces of 2,000 values, and each is given back to the system when its last call
returns. Calls at the end of a piece do that over and over: 700 times in a check, whose imports are
nested, which was 4% of its time.
"""


def run() -> NoReturn:
    """Run the process's command line; modules stay, so no garbage is looked for among them."""
    gc.disable()
    from gate.cli.main import run as run_command  # noqa: PLC0415 - after the line above

    run_command()


run.__code__ = run.__code__.replace(co_stacksize=_ROOM)

if __name__ == "__main__":
    run()
