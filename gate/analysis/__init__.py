"""The questions about the past and the future, a package for each, and what they have in common.

Each package is the result of its question, as data and as a document; its module ``run`` asks the
backends, its module ``words`` builds the page.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.slo_document import Json, rfc3339
from gate.errors import ExitCode
from gate.measure import Unmeasured
from gate.policy.coverage import Reservation, gravest
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.page import Badge, Block, Fact, Page, Section

LeftOut = tuple[tuple[str, str], ...]
"""The names of SLOs that a question cannot be asked of, each with a sentence that says why."""


def document_head(at: datetime, tool_version: str, exit_code: ExitCode) -> Json:
    """Return what every document of a question begins with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": rfc3339(at),
        "tool_version": tool_version,
        "exit_code": exit_code,
    }


def seen_exit_code(
    unmeasured: Iterable[Unmeasured | None], reservations: Iterable[Reservation]
) -> ExitCode:
    """Return the exit code of a question, which has no verdict: undecided where it was not seen.

    Args:
        unmeasured: of each SLO that the question is about, why there is nothing; None: there is.
        reservations: about all of them.
    """
    lost = any(why is not None for why in unmeasured)
    unseen = lost or gravest(reservations) is Verdict.UNDECIDED
    return ExitCode.UNDECIDED if unseen else ExitCode.ALLOW


def seen_badge(badge: Badge, reservations: Sequence[Iterable[Reservation]]) -> Badge:
    """Return the badge of what was found; no tick, and nothing calming, for what was not seen.

    Args:
        badge: of what was found in what was seen.
        reservations: those about each SLO.
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
    """Return why there is no number as plain data; None where there is one."""
    if unmeasured is None:
        return None
    return {"cause": unmeasured.cause, "reason": unmeasured.reason}


def left_out_document(left_out: LeftOut) -> list[Json]:
    """Return the SLOs that were left out as plain data."""
    return [{"slo": slo, "reason": reason} for slo, reason in left_out]


def why_unmeasured(unmeasured: Unmeasured) -> str:
    """Say why there is no number."""
    return f"{cause(unmeasured.cause)}: {unmeasured.reason}"


def left_out_facts(left_out: LeftOut) -> Iterator[Fact]:
    """Yield which SLOs were left out, and why."""
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in left_out)


def note_facts(slo: str, notes: Iterable[str]) -> Iterator[Fact]:
    """Yield what a backend said about its answer."""
    yield from (("Note", f"{slo}: {note}") for note in notes)


class AnswerOfPolicy(Protocol):
    """What a question found under one policy."""

    @property
    def policy(self) -> Policy:
        """The policy."""
        ...

    @property
    def source(self) -> PolicySource:
        """Where it came from."""
        ...


def question_page(sections: Iterable[tuple[Section, AnswerOfPolicy]], *closing: Block) -> Page:
    """Return a page of a section for each policy, with the text of the policy that was read."""
    return Page(
        sections=tuple(
            section.extended(summary.policy_text(answer.policy, answer.source))
            for section, answer in sections
        ),
        closing=closing,
    )
