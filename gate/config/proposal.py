"""Read a policy as a change proposes it: without an environment, and within limits.

Its author may want to learn a secret, to reach a server or to stop the run. So it is read from the
files of a commit, no variable in it is expanded, its backends are compared and never opened, and
every failure is one of a few sentences that repeat nothing of its text.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import yaml

from gate.backends.waits import start
from gate.config.backend_schema import OF_POLICY
from gate.config.policy_schema import UNOPENED, parse
from gate.dataclass import dataclass
from gate.parsing.files import Imports, Tree
from gate.parsing.limits import BoundedTree, TooLargeError, check_size
from gate.parsing.nodes import NULL
from gate.parsing.reader import Reader, UnreadableError, loader
from gate.policy.policy import Policy
from gate.wording import (
    PROPOSAL_DELETED,
    PROPOSAL_FAILED,
    PROPOSAL_TOO_LARGE,
    PROPOSAL_TOO_SLOW,
    PROPOSAL_UNREADABLE,
)

T = TypeVar("T")
_SECONDS: Final = 5.0
"""The time limit for reading it; a policy with 1,000 SLOs takes one second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPolicy:
    """A policy as a change proposes it."""

    policy: Policy | None
    """None if the change has no policy that can be judged."""
    why_not: str = ""
    """The reason why it is missing, in a sentence that repeats nothing of the proposed text."""
    backends: Mapping[str, str] = field(default_factory=dict)
    """The backends whose blocks equal one of the policy in force: the name there by their own name;
    the name of a single backend is empty."""
    same_backend: bool = False
    """Whether these are all of its backends."""
    sha256: str
    """The sha256 of its files that could be read, computed as in `gate.parsing.files`."""

    @property
    def measured_by(self) -> Mapping[str, str]:
        """The name in the policy in force of each backend that the proposal uses."""
        return {"": "", **self.backends} if self.same_backend else self.backends


def read_proposal(path: str, raw: bytes | None, tree: Tree, counting: bytes) -> ProposedPolicy:
    """Return the policy that a change proposes; never raises.

    Args:
        path: the policy's file.
        raw: its text; None if the change deletes it.
        tree: the other files in the change.
        counting: the text of the policy in force.
    """
    if raw is None:
        nothing = sha256().hexdigest()
        return ProposedPolicy(policy=None, why_not=PROPOSAL_DELETED, sha256=nothing)
    imports = Imports(tree=BoundedTree(tree))
    policy, backends, why_not = None, dict[str, str](), ""
    try:
        policy, backends = finish_within(_SECONDS, partial(_read, path, raw, imports, counting))
    except Exception as error:  # noqa: BLE001 - the text of a change ends no run
        why_not = why_not_judged(error)
    # A reading that outlives its time limit must not change the files to be hashed.
    texts = replace(imports, texts=dict(imports.texts))
    digest = texts.digest(Path(path).name, raw)
    return ProposedPolicy(
        policy=policy,
        why_not=why_not,
        backends=backends,
        same_backend=policy is not None and backends.keys() == policy.backends.keys(),
        sha256=digest,
    )


def why_not_judged(error: Exception) -> str:
    """Return the sentence for an error; it repeats nothing of the error's own text."""
    if isinstance(error, UnreadableError):
        return PROPOSAL_UNREADABLE
    if isinstance(error, TooLargeError):
        return PROPOSAL_TOO_LARGE
    return PROPOSAL_TOO_SLOW if isinstance(error, TimeoutError) else PROPOSAL_FAILED


def finish_within(seconds: float, task: Callable[[], T]) -> T:
    """Return the result of a task.

    Raises:
        TimeoutError: it takes longer. It then goes on in a thread that ends with the process.
        Exception: the exception of the task.
    """
    return start(task).result(timeout=seconds)


def _read(
    path: str, raw: bytes, imports: Imports, counting: bytes
) -> tuple[Policy, dict[str, str]]:
    check_size(raw)
    contents, _ = parse(raw, Reader(file=path, environ={}, imports=imports), UNOPENED)
    if contents is None:
        raise UnreadableError
    in_force = _backends_of(counting)
    by_block = {block: name for name, block in reversed(in_force.items())}
    # Several backends may have the same block; one with the same name is preferred.
    return contents.policy, {
        name: name if in_force.get(name) == block else by_block[block]
        for name, block in _backends_of(raw).items()
        if block in by_block
    }


def _backends_of(raw: bytes) -> dict[str, Hashable]:
    """Return the block of each backend in a text, as it is written; the order of keys is ignored.

    Its keys about measurements and causes are left out: they do not change the counts.
    """
    root = yaml.compose(raw.decode("utf-8-sig"), loader())
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    blocks = {str(key.value): node for key, node in pairs}
    if "backend" in blocks:
        return {"": _written(blocks["backend"])}
    return {
        str(key.value): frozenset(
            (_written(inner), _written(child))
            for inner, child in node.value
            if inner.value not in OF_POLICY
        )
        for key, node in blocks["backends"].value
    }


def _written(node: yaml.Node) -> Hashable:
    if isinstance(node, yaml.MappingNode):
        return frozenset((_written(key), _written(child)) for key, child in node.value)
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(_written, node.value))
    return None if node.tag == NULL else str(node.value)
