"""A client that sends requests of every outcome to a LiteLLM proxy, and counts them itself."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import requests

from tests.servers.litellm import KEY

CHAT: Final = "/v1/chat/completions"
TIMEOUT: Final = 120
WITH_KEY: Final = {"Authorization": f"Bearer {KEY}"}
WRONG_KEY: Final = {"Authorization": "Bearer sk-this-key-is-of-nobody"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request, of which the outcome is known before it is sent."""

    model: str
    route: str = CHAT
    status: int = 200
    """The status that the client must see."""
    stream: bool = False
    key: str = "right"
    """Whose key it has: ``right``, ``wrong``, ``empty`` or ``none``."""
    leaves: bool = False
    """Whether the client hangs up after the first part of a stream."""

    @property
    def keyless(self) -> bool:
        return self.key in {"none", "empty"}

    @property
    def asks_a_model(self) -> bool:
        return self.route not in {"/metrics", "/v1/models"}

    def send(self, url: str) -> int:
        """Send one; return the status that came back."""
        keys = {"right": WITH_KEY, "wrong": WRONG_KEY, "empty": {"Authorization": "Bearer "}}
        headers = keys.get(self.key, {})
        if not self.asks_a_model:
            return requests.get(url + self.route, headers=headers, timeout=TIMEOUT).status_code
        with requests.post(
            url + self.route,
            json=self._body(),
            headers=headers,
            timeout=TIMEOUT,
            stream=self.stream,
        ) as answer:
            if self.leaves:
                next(answer.iter_lines())
            else:
                assert answer.content
            return answer.status_code

    def _body(self) -> dict[str, Any]:
        text: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
        if self.route.endswith("/v1/completions"):
            text = {"prompt": "hello"}
        if self.route.endswith(("/embeddings", "/responses")):
            text = {"input": "hello"}
        if self.route.endswith("/messages"):
            text["max_tokens"] = 9
        return {"model": self.model, **text, **({"stream": True} if self.stream else {})}


# The numbers differ so much that no mistake makes up for another.
PLAN: Final[dict[Kind, int]] = {
    Kind("answered"): 41,
    Kind("answered", stream=True): 13,
    Kind("answered", route="/chat/completions"): 5,
    Kind("answered", route="/v1/completions"): 4,
    Kind("answered", route="/v1/embeddings"): 7,
    Kind("answered", route="/v1/messages"): 6,
    Kind("answered", route="/v1/responses"): 3,
    Kind("slow", stream=True): 2,
    Kind("slow", stream=True, leaves=True): 9,
    Kind("limited", status=429): 11,
    Kind("limited", stream=True, status=429): 2,
    Kind("broken", status=500): 8,
    Kind("broken", route="/v1/completions", status=500): 1,
    Kind("dead", status=500): 5,
    Kind("saved"): 10,
    Kind("saved", stream=True): 2,
    Kind("lost", status=500): 3,
    Kind("unheard-of", status=400): 4,
    Kind("answered", key="wrong", status=400): 3,
    Kind("answered", key="none", status=500): 14,
    Kind("answered", key="empty", status=500): 6,
    Kind("answered", route="/v1/embeddings", key="none", status=500): 2,
    Kind("", route="/metrics", key="none", status=401): 12,
    Kind("", route="/v1/models", key="none", status=500): 3,
    Kind("", route="/v1/models"): 5,
}
"""How many of each kind are sent."""


def send(url: str, kinds: Iterable[Kind]) -> Counter[Kind]:
    """Send requests, four at a time; return how many of each kind had the outcome that it must."""
    kinds = list(kinds)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda kind: kind.send(url), kinds))
    wrong = [pair for pair in zip(kinds, statuses, strict=True) if pair[0].status != pair[1]]
    assert not wrong, wrong
    return Counter(kinds)
