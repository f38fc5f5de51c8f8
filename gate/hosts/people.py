"""The people who may vouch for a change, by what code hosts know about them."""

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.hosts import RestError
from gate.hosts.accounts import Account, People, is_after, logins
from gate.policy.authors import (
    WRITE,
    Authors,
    Right,
    Signature,
    account_name,
    accounts,
    bare_name,
    by_name,
    is_group,
)
from gate.policy.changes import Approval, ChangeMatcher

_WITH_LOGINS: Final = frozenset({"github", "gitlab"})
"""The systems that name people by their logins; others also use the text of commits."""
_QUEUE: Final = "merge_group"
"""The event of GitHub's merge queue."""


def named_by(context: Context) -> Authors:
    """Return the authors of the change, and who started the run, by the event and the variables."""
    started = "wrote, pushed or started it"
    if context.system in _WITH_LOGINS:
        opened = accounts([] if context.author is None else [context.author], "opened it")
        return opened + accounts(context.people, started)
    names = [*filter(None, [context.author]), *context.people]
    parts = accounts([name for name in names if bare_name(name)], started).parts
    return Authors(parts=parts, signatures=tuple(map(Signature, names)))


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of people on one code host."""

    people: People
    authors: Authors = field(default_factory=Authors)
    """The authors, who have no rights."""

    def __call__(self, who: str, wanted: Sequence[str]) -> Right:
        """Return whether a name has the right; an account that does not exist has none."""
        if not bare_name(who):
            return by_name(who, wanted)
        try:
            return self.of(self.people.account(bare_name(who)), wanted)
        except RestError as error:
            return Right(holds=False, reason=str(error))

    def of(self, account: Account, wanted: Sequence[str]) -> Right:
        """Return whether an account has the right; a bot or an author never has.

        Raises:
            RestError: the host does not answer as it should.
        """
        who, part = f"@{account.login}", self.authors.part(account.login)
        if account.bot:
            return Right(holds=False, reason=f"{who} is a bot")
        if not account_name(account.login):
            return Right(holds=False, reason=f"it is not known who {who} is")
        if part:
            return Right(holds=False, reason=f"{who} {part}")
        right = self._among(account, wanted)
        flaw = self._doubt(account) if right.holds else ""
        return Right(holds=False, reason=flaw) if flaw else right

    def _among(self, account: Account, wanted: Sequence[str]) -> Right:
        if by_name(account.login, wanted).holds:
            return Right(holds=True)
        reasons = list[str]()
        for group in filter(is_group, wanted):
            if group == WRITE:
                holds = self.people.may_write(account)
            else:
                membership = self.people.in_team(group.removeprefix("@"), account)
                holds = membership.member
                reasons += filter(None, [membership.reason])
            if holds:
                return Right(holds=True)
        return Right(holds=False, reason="; ".join(reasons))

    def _doubt(self, account: Account) -> str:
        """Return the reason why somebody may have written a commit; empty: they have not."""
        if not self.authors.signatures:
            return ""
        who, profile = f"@{account.login}", self.people.profile(account)
        for signature in self.authors.signatures:
            if signature.may_be(profile):
                return f"{who} may be {signature}, who wrote a commit and has no account here"
        if profile.names or profile.emails:
            return ""
        return (
            f"{who} cannot be distinguished from {self.authors.signatures[0]}, who wrote a commit "
            f"and has no account here: link that address to an account, or give the profile of"
            f" {who} a name"
        )


@dataclass(frozen=True, slots=True)
class Vouchers:
    """The people who have approved one commit of a pull request, or set a label on it."""

    people: People
    pull: int
    revision: str

    def approvers(self, labels: Sequence[str], notes: list[str]) -> Iterator[Account]:
        """Yield them, with authors and bots, and note why other approvals do not count.

        Raises:
            RestError: the host does not answer as it should.
        """
        approved = self.people.approvers(self.pull, self.revision)
        notes += approved.notes
        yield from approved.accounts
        for label in labels:
            setting = self.people.label_setting(self.pull, label)
            if setting is None:
                continue
            pushed = self.people.pushed_at(self.pull, self.revision)
            if pushed is not None and is_after(setting.at, pushed):
                yield setting.by


def requests(
    people: People, context: Context, sources: Sequence[tuple[int, str]] = ()
) -> Iterator[tuple[int, str | None]]:
    """Yield each pull request of a run with the commit of it that would ship; None: unknown.

    Args:
        people: the questions to the host.
        context: the context of the run.
        sources: the known pull requests of a deploy or a queue, with their newest commits, which
            were merged; a queue may have taken an older commit.

    Raises:
        RestError: the host does not answer as it should.
    """
    pull, revision = context.pull_request, context.revision
    if pull is not None and revision is not None:
        yield pull, revision
    elif context.event == _QUEUE and revision is not None:
        for queued in dict.fromkeys([*(number for number, _ in sources), *context.pull_requests]):
            yield queued, people.queued(queued, revision)
    elif pull is None:
        yield from sources


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of a pull request, or of those in a queue or deploy, from the code host."""

    people: People
    context: Context
    sources: Sequence[tuple[int, str]] = ()
    """As in `requests`."""

    def __call__(self, matcher: ChangeMatcher) -> Approval:
        """Return who approved exactly this revision, or set one of the labels on it.

        Approvals of an earlier commit do not count: that commit is not what would ship now. If
        there are several pull requests, each must be approved.
        """
        try:
            answers = [
                self._of(*request, matcher)
                for request in requests(self.people, self.context, self.sources)
            ]
        except RestError as error:
            return Approval(why_not=str(error))
        flaws = dict.fromkeys(answer.why_not for answer in answers if not answer.by)
        if flaws or not answers:
            return Approval(why_not="; ".join(flaws) or _nobody(matcher))
        return Approval(by=tuple(dict.fromkeys(who for answer in answers for who in answer.by)))

    def _of(self, pull: int, revision: str | None, matcher: ChangeMatcher) -> Approval:
        if revision is None:
            return Approval(
                why_not=f"it is not known which commit of pull request {pull} the queue took"
            )
        by, notes = list[Account](), list[str]()
        vouchers = [*Vouchers(self.people, pull, revision).approvers(matcher.labels, notes)]
        if vouchers:
            authors = self.people.authors(pull, revision) + named_by(self.context)
            if authors.unknown:
                unknown = f"nobody can be distinguished from the author: {authors.unknown}"
                return Approval(why_not=unknown)
            rights = Rights(self.people, authors)
            for account in dict.fromkeys(vouchers):
                try:
                    right = rights.of(account, matcher.approved_by)
                except (
                    RestError
                ) as error:  # somebody whom the host does not know affects no other person
                    right = Right(holds=False, reason=str(error))
                if right.holds:
                    by.append(account)
                notes.append(right.reason)
        reasons = "; ".join(filter(None, dict.fromkeys(notes)))
        why_not = f"{_nobody(matcher)} ({reasons})" if reasons else _nobody(matcher)
        return Approval(by=logins(by)) if by else Approval(why_not=why_not)


def _nobody(matcher: ChangeMatcher) -> str:
    wanted = " or ".join(matcher.approved_by)
    return (
        f"nobody among {wanted} except the author has approved this commit or set the label on it"
    )
