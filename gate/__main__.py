"""The command ``gate``, and ``python -m gate``."""

import gc
from typing import NoReturn


def run() -> NoReturn:
    """Run the process's command line; its modules stay, so garbage collection skips them."""
    gc.disable()
    from gate.cli.main import run as run_command  # noqa: PLC0415 - after the line above

    run_command()


if __name__ == "__main__":
    run()
