"""The commit status of one run, from its start to any kind of end."""

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Final

import click

from gate.cli.ci_environment import CiEnvironment
from gate.cli.publishing import writer_of
from gate.cli.streams import write_stderr
from gate.dataclass import dataclass
from gate.decision.decision import Decision
from gate.errors import ExitCode, GateError
from gate.hosts import CommitStatus, PostedStatus, RestError
from gate.hosts.identity import GateIdentity, StatusLink, claimed_service
from gate.hosts.pulls import StatusHost, newest_of_each
from gate.reporters.commit_status import (
    MEASURING,
    STATES,
    decision_status,
    no_decision,
    undecided_status,
)
from gate.reporters.escape import plain

_MOST_BYTES: Final = 65_536
"""The number of bytes of an unreadable policy that are searched for the name of its service."""
_ENDING_SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""The signals that a runner sends before it kills a job, if the system has them.

SIGINT always interrupts.
"""


@dataclass(slots=True)
class StatusPublisher:
    """The commit status of one run. No method raises: a failure is a sentence."""

    place: CiEnvironment
    identity: GateIdentity
    paths: tuple[str, ...]
    """The paths of the policies, as they were given, from the working folder."""
    services: tuple[str, ...] | None = None
    """The services of the policies; None: they could not be read yet."""

    def start(self, services: Iterable[str]) -> str:
        """Replace the verdict of an earlier run, which must not remain if this run is killed."""
        self.services = tuple(services)
        name = self.identity.check_name(self.services)
        return self._set(undecided_status("pending", MEASURING, name, self._url(ExitCode.ALLOW)))

    def decided(self, decision: Decision) -> str:
        """Show a decision; it never replaces a worse one of another job in this run."""
        job = self._job(decision.exit_code)
        status = decision_status(decision, self.identity, job)
        if job is not None and self.identity.key is None and status.state == "success":
            with suppress(RestError):
                if other := self._worse_of_another_job(status):
                    return other
        return self._set(status)

    def ended(self, code: ExitCode, description: str) -> str:
        """Show the end of a run that does not decide on a change.

        Args:
            code: the exit code; the state follows from it.
            description: its result, in a sentence.
        """
        name = self.identity.check_name(self.services or ())
        state = STATES.get(code, "error")
        return self._set(undecided_status(state, plain(description), name, self._url(code)))

    def _worse_of_another_job(self, status: CommitStatus) -> str:
        """Restore a worse status of another job in this run; empty: no such status."""
        client, revision = self.place.host(), self.place.context.revision
        link = StatusLink.read(status.url or "")
        if client is None or revision is None or link is None:
            return ""
        newest = dict[str, PostedStatus]()
        for posted in client.statuses(revision):
            theirs = StatusLink.read(posted.url)
            if posted.name == status.name and theirs is not None and link.yields_to(theirs):
                newest.setdefault(theirs.job or "", posted)
        me = client.login() if newest else ""
        for posted in newest.values():
            if posted.author == me and posted.state in {"failure", "error"}:
                again = replace(status, state=posted.state, description=posted.description)
                shown = self._set(replace(again, ending="", url=posted.url))
                return f"{shown} (set by another job of this run; give each job its own --gate-key)"
        return ""

    def failed(self, code: ExitCode) -> str:
        """Show that no decision was made, in every status of this gate that may say otherwise.

        Args:
            code: the exit code of the run.
        """
        text, url = no_decision(code), self._url(code)
        return "\n".join(
            self._set(undecided_status("error", text, name, url)) for name in self._names()
        )

    def _url(self, code: ExitCode) -> str | None:
        """Return the page of the run, with the gate and the job in its address."""
        link = StatusLink(self.identity.digest, job=self._job(code))
        return link.at(self.place.context.url)

    def _job(self, code: ExitCode) -> str | None:
        writer = writer_of(self.place.environ, code)
        return None if writer is None else writer.digits

    def _names(self) -> Sequence[str]:
        """Return the names of the statuses; for unreadable policies, those that exist."""
        if self.services is not None or self.identity.status_name is not None:
            return [self.identity.check_name(self.services or ())]
        client, revision = self.place.host(), self.place.context.revision
        if client is not None and revision is not None:
            with suppress(RestError):
                if names := self._posted(client, revision):
                    return names
        return [self.identity.check_name([_claimed(path) for path in self.paths])]

    def _posted(self, client: StatusHost, revision: str) -> list[str]:
        newest = newest_of_each(client.statuses(revision))
        links = [(status, StatusLink.read(status.url)) for status in newest]
        ours = [status for status, link in links if link and link.gate == self.identity.digest]
        me = client.login() if ours else ""
        return [status.name for status in ours if status.author == me]

    def _set(self, status: CommitStatus) -> str:
        """Set a status, and return a sentence about the outcome."""
        context = self.place.context
        client, revision = self.place.host(), context.revision
        if revision is None:
            return "gate: no commit status: the commit is unknown"
        if context.no_secrets:
            return "gate: no commit status: the token of a fork or of Dependabot is read-only"
        if client is None:
            return f"gate: no commit status: there is no token for {context.system}"
        try:
            client.set_status(revision, status)
        except RestError as error:
            return f"gate: warning: no commit status: {error}"
        return plain(f"gate: commit status {status.state}: {status.name}")


def _claimed(path: str) -> str | None:
    """Return the service that an unreadable policy names; a link may lead anywhere."""
    file = Path(path)
    try:
        if file.is_symlink() or not file.is_file():
            return None
        with file.open("rb") as opened:
            return claimed_service(opened.read(_MOST_BYTES).decode("utf-8", "replace"))
    except OSError:
        return None


@contextmanager
def failing_status(publisher: StatusPublisher) -> Iterator[None]:
    """Set the status to an error when the block ends by an exception or a signal."""
    try:
        with ending_signals():
            yield
    except BaseException as error:
        code = ExitCode.INTERNAL
        if isinstance(error, KeyboardInterrupt):
            code = ExitCode.INTERRUPTED
        elif isinstance(error, GateError):
            code = error.exit_code
        elif isinstance(error, click.UsageError):
            code = ExitCode.USAGE
        write_stderr(publisher.failed(code))
        raise


@contextmanager
def ending_signals() -> Iterator[None]:
    """Let the signals that end a job interrupt the block in the same way as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {}
    with suppress(ValueError):  # only the main thread can handle signals
        for name in _ENDING_SIGNALS:
            if (number := getattr(signal, name, None)) is not None:
                before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
