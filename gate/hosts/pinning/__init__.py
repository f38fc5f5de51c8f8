"""The text of a policy that counts: that of a commit which the change cannot write.

A change that goes into a branch is judged by the policy in the current version of that branch;
everything else by that of the default branch, as is every change in an unknown CI system. Without a
CI system the file is read as it is.
"""

from collections.abc import Mapping

from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.git.repository import FULL_HASH
from gate.hosts.systems.environ import in_ci

AUTO = "auto"
NONE = "none"
"""The words for a ref: the run decides which commit counts; the checkout counts as it is."""
REMEDY = (
    "Set the policy's ref to the branch whose policy counts; or to 'none' to read the checkout as"
    " it is, if the change cannot write it"
)
_USUAL = ("main", "master")
"""The names of default branches: those of the hosts themselves, and of git."""
_REQUESTS = frozenset({"merge_group", "merge_request_event", "external_pull_request_event"})
"""The events of a change that is to go into a branch, beside GitHub's ``pull_request...``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The place that the policy is read from."""

    branch: str | None
    """The plain name of the branch; None: unknown."""
    pulls: tuple[int, ...] = ()
    """The numbers of the pull requests; the code host knows their current target branch."""
    goes_in: bool = False
    """Whether the change is to go into the branch; otherwise the branch is the default branch."""
    commit: str | None = None
    """The run's own commit if it is on the default branch; None: the current version of the
    branch."""
    event_commit: str | None = None
    """The commit of the branch when the run began; None: the event does not say."""
    usual_commit: str | None = None
    """The run's own commit, on a branch with the usual name of a default branch; it counts if the
    default branch is unknown. None: the branch has another name."""


def wanted_of(context: Context, environ: Mapping[str, str]) -> Wanted | None:
    """Return which text counts in a run; None: the file as it is, without a CI system.

    Args:
        context: the context of the run.
        environ: the environment of the process, which distinguishes a branch from a tag of the same
            name.
    """
    if context.system == "none":
        return None
    if context.system == "shell":
        return Wanted(branch=None) if in_ci(environ) else None
    target = _text(context.base_branch) or _text(environ.get("GITHUB_BASE_REF"))
    pulls = (context.pull_request,) if context.pull_request is not None else context.pull_requests
    if target is not None or pulls or _is_request(context.event or ""):
        dated = context.event in {"pull_request", "pull_request_target"} and context.attempt == 1
        return Wanted(
            branch=target,
            pulls=tuple(pulls),
            goes_in=True,
            event_commit=_hash(context.base) if dated else None,
        )
    default, own, usual = _text(context.default_branch), None, None
    if context.attempt == 1 and default is not None:
        own = _own_commit(context, default, environ)
    elif context.attempt == 1:
        commits = [_own_commit(context, name, environ) for name in _USUAL]
        usual = next(filter(None, commits), None)
    return Wanted(branch=default, commit=_hash(own), usual_commit=_hash(usual))


def _is_request(event: str) -> bool:
    return event.startswith("pull_request") or event in _REQUESTS


def _own_commit(context: Context, default: str, environ: Mapping[str, str]) -> str | None:
    """Return the commit of a run on the default branch; None for another branch, or a tag.

    A re-run may be of a run from long ago, with the commit of an old policy. Somebody who starts a
    build of Buildkite by hand chooses branch and commit independently of each other.
    """
    if context.system == "buildkite" and environ.get("BUILDKITE_SOURCE") != "webhook":
        return None
    named = {
        "github": (environ.get("GITHUB_REF"), f"refs/heads/{default}", "GITHUB_SHA"),
        "gitlab": (environ.get("CI_COMMIT_BRANCH"), default, "CI_COMMIT_SHA"),
        "buildkite": (environ.get("BUILDKITE_BRANCH"), default, "BUILDKITE_COMMIT"),
        "jenkins": (environ.get("BRANCH_NAME"), default, "GIT_COMMIT"),
        "circleci": (environ.get("CIRCLE_BRANCH"), default, "CIRCLE_SHA1"),
    }
    tagged = any(map(environ.get, ("CI_COMMIT_TAG", "BUILDKITE_TAG", "TAG_NAME", "CIRCLE_TAG")))
    present, wanted, variable = named.get(context.system, (None, None, ""))
    return environ.get(variable) if present == wanted and not tagged else None


def _text(value: object) -> str | None:
    """Return the text in a field of an event that should be a text."""
    return value if isinstance(value, str) and value else None


def _hash(value: object) -> str | None:
    return value if isinstance(value, str) and FULL_HASH.fullmatch(value) else None
