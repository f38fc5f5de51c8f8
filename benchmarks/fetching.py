"""Queries that were recorded, sent again and read, with nothing else done: what a run must cost.

Imports no more than that needs, since its start counts too.
python -m benchmarks.fetching URL RECORDED
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl

import requests

THREADS = 8
"""As many as the gate sends at once."""


def fetch(url: str, recorded: Path) -> int:
    """Return how many series came back."""
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))

    def ask(body: str) -> int:
        answer = session.post(
            f"{url}/api/v1/query{'_range' * ('step=' in body)}",
            data=dict(parse_qsl(body)),
            timeout=600,
        )
        answer.raise_for_status()
        return len(answer.json()["data"]["result"])

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(ask, json.loads(recorded.read_text())))


if __name__ == "__main__":
    print(fetch(sys.argv[1], Path(sys.argv[2])))
