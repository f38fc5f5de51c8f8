"""Where ``gate check`` runs: the context, the facts about the change, its comment and status."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gate.check.options import no_label, nobody
from gate.cli.streams import write_stderr
from gate.decision.decision import Context, Decision
from gate.errors import ExitCode
from gate.hosts.pinning import AUTO
from gate.hosts.systems import detect
from gate.policy.authors import Authors
from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher
from gate.policy.logins import Right
from gate.policy.override import Labelled, OverrideRule, named
from gate.reporters import render
from gate.reporters.ansi import Style

if TYPE_CHECKING:
    from gate.hosts import State
    from gate.hosts.comments import CommentOutcome
    from gate.hosts.git import Checkout
    from gate.hosts.github import GitHub
    from gate.hosts.gitlab import GitLab
    from gate.hosts.pinning.policies import PolicyReader

_ANNOTATING: Final = frozenset({"github", "gitlab"})
"""Systems that show a finding at a file, which they look for from the top of the repository."""


def context_of(system: str, *, base: str | None = None, environment: str | None = None) -> Context:
    """Return the context of this run; ``base`` goes before what the CI system says."""
    context = detect(os.environ, system)
    return replace(
        context,
        environment=environment,
        base=base or context.base,
        revision=context.revision or _git(lambda checkout: checkout.head(), context),
        folder=(_git(lambda checkout: checkout.prefix(), context) or "")
        if context.system in _ANNOTATING
        else "",
    )


@dataclass(frozen=True, slots=True)
class CiEnvironment:
    """Finds out about the change. Git and the network are asked only when a policy needs it."""

    context: Context
    environ: Mapping[str, str]

    def facts(self) -> ChangeFacts:
        """Return what is known of the change."""
        from gate.git.repository import working_folder  # noqa: PLC0415 - as above
        from gate.hosts.change_facts import change_facts  # noqa: PLC0415 - for policies that recognise only
        from gate.hosts.git import Checkout  # noqa: PLC0415 - as above

        client, pull = self.github(), self.context.pull_request
        ask = None if client is None or pull is None else lambda: client.changed_paths(pull)
        checkout = Checkout(working_folder(self.environ), self.context.workspace)
        return change_facts(self.context, checkout, ask_paths=ask)

    def authors(self) -> Authors:
        """Return whose change it is, by the event and by the code host where it can be asked."""
        from gate.hosts.overriding import whose  # noqa: PLC0415 - for overrides only
        from gate.hosts.people import named_by  # noqa: PLC0415 - as above

        host = self.host()
        if host is not None:
            return whose(host.people, self.context)
        unknown = f"there is no token to ask {self.context.system} with"
        return named_by(self.context) + Authors(unknown=unknown)

    def approve(self, matcher: ChangeMatcher) -> Approval:
        """Return who stands behind what a matcher recognised."""
        host = self.host()
        if host is None:
            return nobody(matcher)
        from gate.hosts.people import Approvals  # noqa: PLC0415 - as above

        return Approvals(host.people, self.context)(matcher)

    def approver(self, who: str, rule: OverrideRule, authors: Authors) -> Right:
        """Return whether somebody may approve an override, and whether they have."""
        host = self.host()
        if host is None:
            return named(who, rule, authors)
        from gate.hosts.overriding import ClaimedApprover  # noqa: PLC0415 - as above

        return ClaimedApprover(host.people, self.context)(who, rule, authors)

    def labelled(self, rule: OverrideRule, at: datetime) -> Labelled:
        """Return the override that a label of the pull request stands for."""
        host = self.host()
        if host is None:
            return no_label(rule, at)
        from gate.hosts.overriding import LabelOverride  # noqa: PLC0415 - as above

        return LabelOverride(host.people, host, self.context)(rule, at)

    def policies(self, ref: str) -> "PolicyReader":
        """Return what reads the policies of this run: as a ref has them, or as what counts."""
        from gate.hosts.pinning.policies import PolicyReader  # noqa: PLC0415 - as above

        host = self.host()
        files = None if host is None else host.files
        return PolicyReader(self.context, self.environ, files, ref or AUTO)

    def host(self) -> "GitHub | GitLab | None":
        """Return a client of the code host; None where there is no token to ask with."""
        return self._gitlab() if self.context.system == "gitlab" else self.github()

    def github(self) -> "GitHub | None":
        """Return a client where this runs on GitHub, and there is a token to ask with."""
        token, repository = self.environ.get("GITHUB_TOKEN"), self.context.repository
        if self.context.system != "github" or not token or not repository:
            return None
        from gate.hosts.github import URL, GitHub  # noqa: PLC0415 - as above
        from gate.hosts.github_events import GitHubError  # noqa: PLC0415

        try:
            return GitHub(repository, token, url=self.environ.get("GITHUB_API_URL") or URL)
        except GitHubError:
            return None  # GITHUB_REPOSITORY names none

    def _gitlab(self) -> "GitLab | None":
        """Return a client where there is a token of the project; a job's own may do too little."""
        token, url = self.environ.get("GITLAB_TOKEN"), self.environ.get("CI_API_V4_URL")
        # A merge request of a fork is one of the project that it is to go into.
        project = (
            self.context.target_project
            or self.environ.get("CI_PROJECT_ID")
            or self.context.repository
        )
        if not token or not url or not project:
            return None
        from gate.hosts.gitlab import GitLab  # noqa: PLC0415 - as above

        page = self.environ.get("CI_MERGE_REQUEST_PROJECT_URL") or self.environ.get(
            "CI_PROJECT_URL"
        )
        return GitLab(project, token, url=url, page=page or "")


def _git(question: "Callable[[Checkout], str]", context: Context) -> str | None:
    """Ask git about the folder of this run; None: it cannot tell."""
    from gate.git.repository import working_folder  # noqa: PLC0415 - where it is needed only
    from gate.hosts.git import Checkout, GitError  # noqa: PLC0415 - as above

    try:
        return question(Checkout(working_folder(os.environ), context.workspace))
    except GitError:
        return None  # not in a checkout: a decision need not be about a commit


_STYLE: Final = Style()


def keep_comment(decision: Decision, place: CiEnvironment) -> None:
    """Write or update the comment, or say why there is none."""
    from gate.hosts.comments import marker, upsert  # noqa: PLC0415 - where it is kept only

    context = place.context
    client, pull = place.host(), context.pull_request
    if pull is None:
        write_stderr("gate: no comment: there is no pull request")
    elif context.no_secrets:
        write_stderr("gate: no comment: a run of a fork or of Dependabot may only read")
    elif client is None:
        write_stderr(f"gate: no comment: there is no token for {context.system}")
    else:
        services = ", ".join(decided.policy.service for decided in decision.policies)
        paths = ", ".join(decided.source.path for decided in decision.policies)
        mark = marker(services, paths, context.environment)
        write_stderr(_of_comment(upsert(client, pull, mark, render("markdown", decision, _STYLE))))


def _of_comment(outcome: "CommentOutcome") -> str:
    from gate.hosts.comments import Act  # noqa: PLC0415 - as above

    if outcome.act is Act.FAILED:
        return f"gate: warning: no comment: {outcome.trouble}"
    trouble = f"; warning: {outcome.trouble}" if outcome.trouble else ""
    return f"gate: comment {outcome.act}: {outcome.url}{trouble}"


_STATES: "Final[dict[ExitCode, State]]" = {
    ExitCode.ALLOW: "success",
    ExitCode.WARN: "warning",
    ExitCode.BLOCK: "failure",
}


def show_verdict(decision: Decision, place: CiEnvironment) -> None:
    """Set the status, or say why there is none; its state is what the exit code says."""
    from gate.reporters import summary  # noqa: PLC0415 - where it is shown only

    services = [decided.policy.service for decided in decision.policies]
    state = _STATES.get(decision.exit_code, "error")
    write_stderr(set_commit_status(state, summary.headline(decision), services, place))


def set_commit_status(
    state: "State", description: str, services: Iterable[str], place: CiEnvironment
) -> str:
    """Set a status on the commit of this run, and return what became of it, in a sentence.

    The name of the check tells apart services and environments: ``gate/chat/production``.
    """
    from gate.hosts import CommitStatus, RestError  # noqa: PLC0415 - as above
    from gate.reporters.escape import plain  # noqa: PLC0415

    context = place.context
    client, revision = place.host(), context.revision
    if revision is None:
        return "gate: no commit status: no commit is known"
    if context.no_secrets:
        return "gate: no commit status: a run of a fork or of Dependabot may only read"
    if client is None:
        return f"gate: no commit status: there is no token for {context.system}"
    name = "/".join(filter(None, ["gate", ", ".join(services), context.environment]))
    status = CommitStatus(
        state=state, name=plain(name), description=plain(description), url=context.url
    )
    try:
        client.set_status(revision, status)
    except RestError as error:
        return f"gate: warning: no commit status: {error}"
    return f"gate: commit status {state}: {status.name}"
