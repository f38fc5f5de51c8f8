"""Whether a decision holds now, for the commit that ships. Anything in doubt does not hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from gate.dataclass import dataclass
from gate.decision.decision import Mode, exit_code, overall_verdict
from gate.decision.reading import read_instant
from gate.errors import ExitCode
from gate.policy.findings import Rule, Verdict, worst
from gate.policy.override import Override
from gate.policy.policy import LONGEST_VALID_FOR
from gate.policy.requirements import RequirementState

SKEW: Final = timedelta(minutes=1)
"""The largest difference between the clocks of two machines that is tolerated."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
DecisionDocument = Mapping[str, Any]
"""The document of a decision, in the form of its schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The change that is to ship; None, or an empty list: not stated."""

    revision: str | None
    """The full hash of the commit."""
    repository: str | None = None
    environment: str | None = None
    """None: the decision must not name an environment."""
    base: str | None = None
    """The base that the change must have been compared with."""
    change: str | None = None
    """The class of change that every policy must have judged."""
    services: Sequence[str] = ()
    """The services that the decision must be about."""
    policies: Mapping[str, str] | None = None
    """The hash of each policy that must have decided, by the name of its file."""


def flaws(document: DecisionDocument, demands: Demands, now: datetime) -> Iterator[str]:
    """Yield the reasons why a decision does not hold; nothing if it holds."""
    yield from _mode(document)
    yield from _contradictions(document)
    yield from _times(document, now)
    yield from _foreign(document, demands)
    yield from _policies(document, demands)


def shown(text: object) -> str:
    """Return a text of a document as one quoted line, which cannot be mistaken for other text."""
    words = ascii(text if isinstance(text, str) else str(text))
    words = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
    return words.replace("##", r"\x23#").replace("::", r"\x3a:")


_LONGEST: Final = 120
"""The maximum number of characters of a document's text in a message."""


def _mode(document: DecisionDocument) -> Iterator[str]:
    if document["observe"] or document["mode"] == Mode.OBSERVE:
        yield "it was a dry run: its verdict was not enforced"
    elif document["mode"] == Mode.STATED_INSTANT:
        yield "it is about another moment than the one at which it was made"


def _contradictions(document: DecisionDocument) -> Iterator[str]:
    """Yield the parts of a document that contradict the values that follow from others."""
    policies = document["policies"]
    for policy in policies:
        yield from _policy_contradictions(policy)
    verdict = overall_verdict((Verdict(policy["verdict"]) for policy in policies), Mode.ENFORCED)
    if document["verdict"] != verdict:
        yield "its verdict is not the worst of its policies' verdicts"
    classes = {policy["change_class"] for policy in policies}
    if document["change_class"] != (classes.copy().pop() if len(classes) == 1 else None):
        yield "its change class contradicts those of its policies"
    override = _override(document)
    plain = exit_code(verdict, observe=False, fail_on_warn=document["fail_on_warn"])
    code = ExitCode.ALLOW if override is not None else plain
    if document["overridden"] != (override is not None and plain is not ExitCode.ALLOW):
        yield "it contradicts itself about its override"
    if (document["override_confirmed"] is None) != (override is None):
        yield "it contradicts itself about who confirms its override"
    if document["exit_code"] != code:
        yield "its exit code contradicts its verdict"


def _policy_contradictions(policy: Mapping[str, Any]) -> Iterator[str]:
    if policy["verdict"] != worst(Verdict(f["verdict"]) for f in policy["findings"]):
        yield f"the verdict on {shown(policy['service'])} contradicts its findings"
    if not _requirements_agree(policy):
        yield f"the requirements of {shown(policy['service'])} contradict its findings"


def _requirements_agree(policy: Mapping[str, Any]) -> bool:
    """Return whether the requirements and the findings in a document agree."""
    required = policy["requirements"]
    said = [(each["verdict"], f"{each['name']}: {each['reason']}") for each in required]
    ruled = [
        (finding["verdict"], finding["reason"])
        for finding in policy["findings"]
        if finding["rule"] == Rule.REQUIREMENT
    ]
    return (
        [each["name"] for each in required] == policy["obligations"]
        and all(RequirementState(each["state"]).verdict == each["verdict"] for each in required)
        and sorted(said) == sorted(ruled)
    )


def _override(document: DecisionDocument) -> Override | None:
    stated = document["override"]
    return None if stated is None else Override(**stated | {"until": _instant(stated["until"])})


def _instant(text: str) -> datetime:
    instant = read_instant(text)
    assert instant is not None  # noqa: S101 - its schema's format holds that
    return instant


def _times(document: DecisionDocument, now: datetime) -> Iterator[str]:
    begin, end = _instant(document["evaluated_at"]), _instant(document["expires_at"])
    override = _override(document)
    if begin > now + SKEW:
        yield f"it was made at {document['evaluated_at']}, which is in the future"
    if end <= begin:
        yield "it ends before it begins"
    if end > begin + LONGEST_VALID_FOR:
        hours = LONGEST_VALID_FOR // timedelta(hours=1)
        yield f"it claims to hold for more than {hours} hours"
    if now >= end:
        yield f"it held until {document['expires_at']}"
    if override is not None and (now >= override.until or end > override.until):
        yield f"its override ends at {shown(document['override']['until'])}"


def _foreign(document: DecisionDocument, demands: Demands) -> Iterator[str]:
    """Yield the ways in which a decision is about something other than the change that ships."""
    context, ships = document["context"], demands.revision
    revision = context["revision"]
    if revision is None or ships is None:
        yield "it does not say which commit it is about"
    elif not _COMMIT.fullmatch(revision):
        yield f"it is about {shown(revision)}, which is not the full hash of a commit"
    elif revision != ships:
        yield f"it is about the commit {revision}, and {shown(ships)} ships"
    repository = context["repository"]
    if demands.repository is not None and repository != demands.repository:
        about = "no repository" if repository is None else f"the repository {shown(repository)}"
        yield f"it is about {about}, and {shown(demands.repository)} ships"
    environment = context["environment"]
    if environment != demands.environment:
        yield _elsewhere(environment, demands.environment)
    if demands.base is not None and context["base"] != demands.base:
        yield (f"it compares the change with {shown(context['base'])}, not {shown(demands.base)}")


def _elsewhere(environment: str | None, wanted: str | None) -> str:
    if environment is None:
        return f"it names no environment, and so is not for {shown(wanted)}"
    if wanted is None:
        return f"it is for the environment {shown(environment)}: name it to use it there"
    return f"it is for the environment {shown(environment)}, and not for {shown(wanted)}"


def _policies(document: DecisionDocument, demands: Demands) -> Iterator[str]:
    policies, wanted = document["policies"], demands.policies or {}
    hashes = {policy["source"]["sha256"] for policy in policies}
    for policy in policies:
        source, service = policy["source"], shown(policy["service"])
        if source["modified"]:
            yield f"the policy of {service} was modified and not committed when it decided"
        if source["revision"] is None and source["sha256"] not in wanted.values():
            yield f"the policy of {service} is in no commit: name its file, so that it is compared"
    for name, digest in wanted.items():
        if digest not in hashes:
            yield f"the policy {shown(name)} is not the one that decided: its text differs"
    yield from _classes(policies, demands)


def _classes(policies: Sequence[DecisionDocument], demands: Demands) -> Iterator[str]:
    covered = {policy["service"] for policy in policies}
    for service in demands.services:
        if service not in covered:
            yield f"it is not about the service {shown(service)}"
    classes = {policy["change_class"] for policy in policies}
    if demands.change is not None and classes != {demands.change}:
        decided = ", ".join(map(shown, sorted(classes)))
        yield f"it is about {decided}, and not {shown(demands.change)}"
