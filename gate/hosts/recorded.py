"""The deploys that this gate has allowed, from the log that ``gate check`` appends to."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from gate.dataclass import dataclass
from gate.decision.chain import chain_flaws, lines_of
from gate.decision.seal import SealKey
from gate.errors import ExitCode
from gate.hosts.base import belongs_to
from gate.hosts.git import Checkout, GitError

_QUEUE: Final = "gh-readonly-queue/"
"""The beginning of the branches of GitHub's merge queues."""
_LETTING_PASS: Final = frozenset({"allow", "warn"})


@dataclass(frozen=True, slots=True)
class Log:
    """A log of decisions."""

    path: str | None
    """None: the run has no log."""
    checkout: Checkout
    services: Sequence[str]
    """The services that the decision must have been about, all of them."""
    environment: str | None
    key: SealKey | None = None
    """The key that each record must be signed with; None: only the chain of records is checked."""

    def allowed(self) -> Sequence[str]:
        """Return the commits whose deploy to this environment was allowed.

        A decision on a pull request or for a merge queue does not count: it was only about its own
        change. Nor does a decision of a dry run.

        Raises:
            LookupError: the log does not exist, belongs to the change, or is damaged.
        """
        if self.path is None:
            raise LookupError("no decisions are recorded")
        try:
            if belongs_to(self.checkout, self.path):
                raise LookupError(f"{self.path} belongs to the change")
            content = Path(self.checkout.folder, self.path).read_bytes()
        except FileNotFoundError as error:
            raise LookupError(f"{self.path} has no decision yet") from error
        except (OSError, GitError) as error:
            raise LookupError(f"{self.path} cannot be read: {error}") from error
        flaw = next(chain_flaws(content, self.key), None)
        if flaw is not None:
            raise LookupError(f"{self.path}:{flaw.line}: {flaw.reason}")
        try:
            return list(self._revisions(map(json.loads, lines_of(content))))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LookupError(
                f"{self.path} has a line that is not a record of a decision"
            ) from error

    def _revisions(self, entries: Iterator[Any]) -> Iterator[str]:
        for entry in entries:
            context = entry["context"]
            of_a_branch = context["pull_request"] is None
            queued = str(context["branch"]).startswith(_QUEUE)
            services = {policy["service"] for policy in entry["policies"]}
            passed = entry["verdict"] in _LETTING_PASS or entry["overridden"]
            if (
                entry["exit_code"] == ExitCode.ALLOW
                and passed
                and of_a_branch
                and not queued
                and context["environment"] == self.environment
                and services == set(self.services)
                and context["revision"] is not None
            ):
                yield str(context["revision"])
