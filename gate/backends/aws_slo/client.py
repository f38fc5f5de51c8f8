"""The API of Application Signals: its requests, its refusals, and their remedies.

https://docs.aws.amazon.com/applicationsignals/latest/APIReference/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from gate.backends.aws_login import aws_secrets
from gate.backends.aws_slo.settings import AwsSloSettings
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, Dialogue, JsonObject, finite
from gate.http import Clock
from gate.measure import Cause, Limits, MeasurementError

_AT_ONCE: Final = 4
_SINGLE, _REPORTS = 5, 10
"""The number of requests per second that AWS allows: for one SLO, and for budget reports.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
"""
MOST_REPORTS: Final = 50
"""The maximum number of SLOs in one request for budget reports."""
ARN: Final = re.compile(r"arn:[^:]+:application-signals:([^:]*):([^:]*):slo/.+")
"""The ARN of an SLO, with its region and its account."""
_MOST_PAGES: Final = 200
_ACTIONS: Final = (
    "let the login have application-signals:ListServiceLevelObjectives,"
    " GetServiceLevelObjective, BatchGetServiceLevelObjectiveBudgetReport and"
    " ListServiceLevelObjectiveExclusionWindows"
)
_KEYS: Final = (
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or access_key and secret_key of the"
    " backend), and backend.region"
)
_NEW_KEYS: Final = "get new keys: the session that these belong to has ended"
_TIME: Final = "set this machine's clock by NTP: signatures are valid for five minutes"
_SIGNATURE: Final = f"{_KEYS}; a proxy must leave path and headers as they are"
_KINDS: Final = {
    "AccessDeniedException": _ACTIONS,
    "AccessDenied": _ACTIONS,
    "ExpiredTokenException": _NEW_KEYS,
    "ExpiredToken": _NEW_KEYS,
    "RequestExpired": _TIME,
    "RequestTimeTooSkewed": _TIME,
    "InvalidSignatureException": f"{_SIGNATURE}; {_TIME}",
    "SignatureDoesNotMatch": f"{_SIGNATURE}; {_TIME}",
    "IncompleteSignatureException": _SIGNATURE,
    "MissingAuthenticationTokenException": _SIGNATURE,
    "UnrecognizedClientException": f"{_KEYS}; a session token belongs to its keys, and a region"
    " that is not on by default must be enabled for the account",
    "InvalidClientTokenId": _KEYS,
    "OptInRequired": "enable the region for the account, or correct the region of the backend",
    "SubscriptionRequiredException": "enable Application Signals for the account in this region",
    "ThrottlingException": "run fewer checks at once, or ask AWS for a higher quota",
    "TooManyRequestsException": "run fewer checks at once, or ask AWS for a higher quota",
    "ValidationException": "correct the name or the ARN, or ask for an instant that the service"
    " still knows",
}


def _kind(headers: Mapping[str, str], body: JsonObject) -> str:
    """Return the name of a refusal: ThrottlingException.

    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    """
    named = headers.get("x-amzn-errortype") or body.get("__type") or body.get("code") or ""
    return str(named).partition(":")[0].rpartition("#")[2]


def _words(body: JsonObject) -> str:
    return str(body.get("message") or body.get("Message") or "")


_DIALOGUE: Final = Dialogue(words=_words, hints={}, kind=_kind, kinds=_KINDS)


def invalid(reason: str) -> MeasurementError:
    """Return the error for an answer that cannot be right."""
    return MeasurementError(Cause.INVALID, reason)


class ApplicationSignals:
    """The service in one region, with one login."""

    def __init__(
        self, settings: AwsSloSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Prepare; no request is sent yet."""
        access = settings.access
        self.region = access.login.region
        self.shown = f"Application Signals in {self.region} ({access.shown})"
        self._linked = settings.linked_accounts
        self._sent = dict[str, tuple[float, int]]()
        """By action, the start of the last second with requests, and their number."""
        self.api = Api(
            url=access.url,
            shown=self.shown,
            headers={},
            secrets=aws_secrets(access),
            dialogue=_DIALOGUE,
            timeout=limits.timeout.total_seconds(),
            login=access.login,
            retries=settings.retries,
            clock=clock,
        )

    def summaries(self) -> list[JsonObject]:
        """Return every SLO of the account, and of linked accounts if the policy says so.

        Raises:
            MeasurementError: they cannot be listed.
        """
        linked = {"IncludeLinkedAccounts": "true"} if self._linked else {}
        call = Call(path="/slos", method="POST", params={"MaxResults": "50", **linked}, body={})
        return list(self._pages(call, "SloSummaries"))

    def slos(self, arns: Sequence[str]) -> list[JsonObject | ApiError]:
        """Return each SLO, in order, or the error in its place."""
        calls = [Call(path=f"/slo/{quote(arn, safe='')}") for arn in arns]
        return self._paced(calls, "GetServiceLevelObjective", _SINGLE)

    def reports(
        self, batches: Sequence[Sequence[str]], at: datetime
    ) -> list[JsonObject | ApiError]:
        """Return the budget reports of each batch of ARNs, in order, for one second."""
        calls = [
            Call(
                path="/budget-report",
                method="POST",
                body={"Timestamp": int(at.timestamp()), "SloIds": list(batch)},
            )
            for batch in batches
        ]
        return self._paced(calls, "BatchGetServiceLevelObjectiveBudgetReport", _REPORTS)

    def exclusions(self, arns: Sequence[str]) -> list[list[JsonObject] | MeasurementError]:
        """Return the time windows that each SLO excludes, in order, or the error in their place.

        An SLO has at most ten, which fit on one page.
        """
        paths = [f"/slo/{quote(arn, safe='')}/exclusion-windows" for arn in arns]
        calls = [Call(path=path, params={"MaxResults": "10"}) for path in paths]
        answers = self._paced(calls, "ListServiceLevelObjectiveExclusionWindows", _SINGLE)
        return [self._windows(answer) for answer in answers]

    def _windows(self, answer: JsonObject | ApiError) -> list[JsonObject] | MeasurementError:
        if isinstance(answer, ApiError):
            return answer
        try:
            return listed(answer, "ExclusionWindows", self.shown)
        except MeasurementError as error:
            return error

    def _paced(self, calls: Sequence[Call], action: str, rate: int) -> list[JsonObject | ApiError]:
        """Return the answer to each request, with no more requests per second than allowed.

        Requests of the same action that were sent a moment ago for another purpose count, too.
        """
        answers, clock, late = list[JsonObject | ApiError](), self.api.clock, False
        while len(answers) < len(calls):
            began, sent = self._sent.get(action, (0.0, 0))
            if sent >= rate and not late:
                clock.sleep(max(began + 1 - clock.monotonic(), 0.0))
            if sent >= rate or clock.monotonic() >= began + 1:
                began, sent = clock.monotonic(), 0
            some = calls[len(answers) : len(answers) + rate - sent]
            answers += self.api.ask_all(some, _AT_ONCE)
            late = any(isinstance(each, ApiError) and each.status is None for each in answers)
            self._sent[action] = began, sent + len(some)
        return answers

    def _pages(self, call: Call, key: str) -> Iterator[JsonObject]:
        """Yield the values under a key on all pages of a list."""
        tokens = list[str]()
        while True:
            token = {"NextToken": tokens[-1]} if tokens else {}
            params = {**(call.params or {}), **token}
            page = self.api.ask(
                Call(path=call.path, method=call.method, params=params, body=call.body)
            )
            yield from listed(page, key, self.shown)
            following = page.get("NextToken")
            if not following:
                return
            if str(following) in tokens or len(tokens) >= _MOST_PAGES:
                raise invalid(f"{self.shown}: the pages of {key} do not end")
            tokens.append(str(following))


def listed(body: JsonObject, key: str, shown: str) -> list[JsonObject]:
    """Return a list of an answer.

    Raises:
        MeasurementError: the answer has no such list.
    """
    entries = body.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid(f"{shown}: the answer has no list {key}")
    return entries


def whole(values: Mapping[str, Any], key: str) -> int:
    """Return a whole number of an answer.

    Raises:
        MeasurementError: the value is missing, or of another type.
    """
    value = number(values, key)
    if value != int(value):
        raise invalid(f"{key} is {value} and must be a whole number")
    return int(value)


def number(values: Mapping[str, Any], key: str) -> int | float:
    """Return a finite number of an answer.

    Raises:
        MeasurementError: the value is missing, or of another type.
    """
    value = values.get(key)
    if finite(value) is None or not isinstance(value, int | float):
        raise invalid(f"{key} is {value!r:.60} and must be a number")
    return value
