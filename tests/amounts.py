"""How much of what is random is tried in each lane.

`make slow` draws the same numbers each time: repeated, they find only what the code has changed.
So it takes as many as show a fault of any weight, and `make test-all` the whole lot.
"""

import os

EXPLORING = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
"""Whether `make test-all` runs."""


def repeats(fixed: int, explored: int) -> int:
    """Return how often to try: in `make slow` the first number, in `make test-all` the other."""
    return explored if EXPLORING else fixed
