"""The questions about the past and the future, a package for each, with their common parts.

Each package has the result of its question, as data and as a document; its module ``run`` queries
the backends, its module ``words`` builds the page.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Protocol

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import backends_document, source_document
from gate.decision.slo_document import Json, rfc3339
from gate.errors import ExitCode
from gate.measure import Unmeasured
from gate.policy.coverage import Reservation, gravest
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.outlook import doctor_steps
from gate.reporters.page import Badge, Block, Fact, Page, Section

LeftOut = tuple[tuple[str, str], ...]
"""The names of SLOs that a question does not apply to, each with a sentence that says why."""


def document_head(at: datetime, tool_version: str, exit_code: ExitCode) -> Json:
    """Return the common head of every document of a question."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": rfc3339(at),
        "tool_version": tool_version,
        "exit_code": exit_code,
    }


class SeenSlo(Protocol):
    """The results of a question about one SLO."""

    @property
    def unmeasured(self) -> Unmeasured | None:
        """The reason why nothing was measured; None if something was measured."""
        ...

    @property
    def reservations(self) -> Iterable[Reservation]:
        """The doubts about these results."""
        ...


def seen_exit_code(slos: Iterable[SeenSlo]) -> ExitCode:
    """Return the exit code of a question, which has no verdict: undecided if data is missing."""
    every = list(slos)
    lost = any(slo.unmeasured is not None for slo in every)
    unseen = gravest(reservation for slo in every for reservation in slo.reservations)
    return ExitCode.UNDECIDED if lost or unseen is Verdict.UNDECIDED else ExitCode.ALLOW


def seen_badge(badge: Badge, reservations: Sequence[Iterable[Reservation]]) -> Badge:
    """Return the badge of the results; without a tick or an all-clear if data is missing.

    Args:
        badge: the badge of the results for the available data.
        reservations: the reservations about each SLO.
    """
    verdicts = [gravest(some) for some in reservations]
    unseen = verdicts.count(Verdict.UNDECIDED)
    if unseen:
        word = f"{unseen} OF {len(verdicts)} NOT MEASURED WELL ENOUGH"
        if badge.verdict is Verdict.ALLOW:
            return Badge(Verdict.UNDECIDED, word)
        worse = max(badge.verdict, Verdict.UNDECIDED, key=lambda verdict: verdict.severity)
        return Badge(worse, f"{badge.word}, {word}")
    if Verdict.WARN in verdicts and badge.verdict is Verdict.ALLOW:
        return Badge(Verdict.WARN, f"{badge.word} AS FAR AS MEASURED")
    return badge


def reservation_facts(slo: str, reservations: Iterable[Reservation]) -> Iterator[Fact]:
    """Yield the reservations about an SLO."""
    for reservation in reservations:
        yield "In doubt", f"{slo}: {cause(reservation.cause)}: {reservation.reason}"


def reservations_document(reservations: Iterable[Reservation]) -> list[Json]:
    """Return reservations as plain data."""
    return [
        {"cause": reservation.cause, "reason": reservation.reason, "verdict": reservation.verdict}
        for reservation in reservations
    ]


def unmeasured_document(unmeasured: Unmeasured | None) -> Json | None:
    """Return the reason for a missing number as plain data; None: the number is not missing."""
    if unmeasured is None:
        return None
    return {"cause": unmeasured.cause, "reason": unmeasured.reason}


def left_out_document(left_out: LeftOut) -> list[Json]:
    """Return the SLOs that were left out as plain data."""
    return [{"slo": slo, "reason": reason} for slo, reason in left_out]


def why_unmeasured(unmeasured: Unmeasured) -> str:
    """State the reason why a number is missing."""
    return f"{cause(unmeasured.cause)}: {unmeasured.reason}"


def left_out_facts(left_out: LeftOut) -> Iterator[Fact]:
    """Yield the SLOs that were left out, with the reasons."""
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in left_out)


def note_facts(slo: str, notes: Iterable[str]) -> Iterator[Fact]:
    """Yield the backend's notes on its answer."""
    yield from (("Note", f"{slo}: {note}") for note in notes)


class AnswerOfPolicy(Protocol):
    """The results of a question for one policy."""

    @property
    def policy(self) -> Policy:
        """The policy."""
        ...

    @property
    def source(self) -> PolicySource:
        """The source of the policy."""
        ...


class QuestionReport(Protocol):
    """The results of a question for all policies; a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def services(self) -> Sequence[AnswerOfPolicy]:
        """The results for each policy."""
        ...

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the question for these policies."""
        ...


def examinations(report: QuestionReport) -> Iterator[Block]:
    """Yield the command that examines each policy with unmeasured parts."""
    return doctor_steps(
        (service.source, replace(report, services=(service,)).exit_code)
        for service in report.services
    )


def service_head(answer: AnswerOfPolicy) -> Json:
    """Return the common head of a question's document about one policy."""
    return {
        "service": answer.policy.service,
        "source": source_document(answer.source),
        "backends": backends_document(answer.policy),
    }


def question_page(sections: Iterable[tuple[Section, AnswerOfPolicy]], *closing: Block) -> Page:
    """Return a page with a section for each policy, and the text of the policy that was read."""
    return Page(
        sections=tuple(
            section.extended(summary.policy_text(answer.policy, answer.source))
            for section, answer in sections
        ),
        closing=closing,
    )
