"""CloudWatch Application Signals, as far as the gate asks it: SLOs over events of known truth.

It counts by itself what a report says, in fractions, and writes it as AWS does. `Spoil` makes it
answer what it should not. A test holds its answers against botocore's model of the service.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from math import floor
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.backends.loopback import send

REGION, ACCOUNT = "eu-central-1", "123456789012"
PERIOD = timedelta(minutes=1)
"""A period of a period-based SLO, in which no event may be bad."""
Event = tuple[datetime, int, int]
"""When, how many requests, and how many of them were bad."""
Spoil = Callable[[str, Any], Any]
"""Returns what is answered in place of a good answer, which it may change; first the path."""
_UNITS = {"MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1), "DAY": timedelta(days=1)}
_METRIC = [{"Id": "m1", "Expression": "1", "ReturnData": True}]
_SLIS: Mapping[bool, Mapping[str, Any]] = {
    False: {
        "Sli": {
            "SliMetric": {"MetricDataQueries": _METRIC},
            "MetricThreshold": 1.0,
            "ComparisonOperator": "LessThan",
        }
    },
    True: {
        "RequestBasedSli": {
            "RequestBasedSliMetric": {
                "TotalRequestCountMetric": _METRIC,
                "MonitoredRequestCountMetric": {"BadCountMetric": _METRIC},
            }
        }
    },
}


def rolling(days: int, goal: float = 99.9) -> dict[str, Any]:
    """Return the goal of an SLO over the last days."""
    interval = {"RollingInterval": {"DurationUnit": "DAY", "Duration": days}}
    return {"Interval": interval, "AttainmentGoal": goal, "WarningThreshold": 50.0}


def monthly(start: datetime, goal: float = 99.9) -> dict[str, Any]:
    """Return the goal of an SLO over months, one of which begins at an instant."""
    interval = {"StartTime": start.timestamp(), "DurationUnit": "MONTH", "Duration": 1}
    return {"Interval": {"CalendarInterval": interval}, "AttainmentGoal": goal}


@dataclass(kw_only=True)
class FakeSlo:
    """An SLO, and what happened."""

    name: str
    goal: Mapping[str, Any] = field(default_factory=lambda: rolling(30))
    requests: bool = True
    """Whether it is request-based; else period-based."""
    events: Sequence[Event] = ()
    account: str = ACCOUNT
    created: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    exclusions: Sequence[Mapping[str, Any]] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:application-signals:{REGION}:{self.account}:slo/{self.name}"

    @property
    def definition(self) -> dict[str, Any]:
        created = self.created.timestamp()
        return {
            "Arn": self.arn,
            "Name": self.name,
            "CreatedTime": created,
            "LastUpdatedTime": created,
            "EvaluationType": "RequestBased" if self.requests else "PeriodBased",
            "Goal": dict(self.goal),
            **_SLIS[self.requests],
        }

    @property
    def summary(self) -> dict[str, Any]:
        return {"Arn": self.arn, "Name": self.name, "CreatedTime": self.created.timestamp()}

    def interval(self, at: datetime) -> tuple[datetime, datetime]:
        """Return start and end of the interval that is judged at an instant."""
        interval = self.goal.get("Interval", {"RollingInterval": {"Duration": 7}})
        if "RollingInterval" in interval:
            unit = _UNITS[interval["RollingInterval"].get("DurationUnit", "DAY")]
            return at - interval["RollingInterval"]["Duration"] * unit, at
        start = datetime.fromtimestamp(interval["CalendarInterval"]["StartTime"], UTC)
        following = start
        while following <= at:
            start, following = following, self._next(following, interval["CalendarInterval"])
        return start, following

    @staticmethod
    def _next(start: datetime, interval: Mapping[str, Any]) -> datetime:
        unit, count = str(interval["DurationUnit"]), int(interval["Duration"])
        if unit != "MONTH":
            return start + count * _UNITS[unit]
        months = start.year * 12 + start.month - 1 + count
        return start.replace(year=months // 12, month=months % 12 + 1)

    def report(self, at: datetime) -> dict[str, Any]:
        """Return the budget report as of an instant."""
        about = {"Arn": self.arn, "Name": self.name, "Goal": dict(self.goal)}
        about |= {k: v for k, v in self.definition.items() if k.endswith(("Sli", "Type"))}
        start, end = self.interval(at)
        counted = [event for event in self.events if start < event[0] <= at]
        if at < self.created or not counted:
            return about | {"BudgetStatus": "INSUFFICIENT_DATA"}
        share = 1 - Fraction(str(self.goal.get("AttainmentGoal", 99))) / 100
        if self.requests:
            total, bad = sum(event[1] for event in counted), sum(event[2] for event in counted)
            granted, unit = share * total, "Requests"
        else:
            periods = {(when - start) // PERIOD: 0 for when, _, _ in counted}
            for when, _, failed in counted:
                periods[(when - start) // PERIOD] += failed
            total, bad = len(periods), sum(1 for failed in periods.values() if failed)
            granted, unit = share * Fraction((end - start).total_seconds()), "Seconds"
        spent = bad if self.requests else bad * PERIOD.seconds
        left = granted - spent
        threshold = Fraction(str(self.goal.get("WarningThreshold", 50))) / 100
        good = "OK" if left > threshold * granted else "WARNING"
        return about | {
            "BudgetStatus": good if left > 0 else "BREACHED",
            "Attainment": 100 * (total - bad) / total if total else 100.0,
            f"TotalBudget{unit}": floor(granted),
            f"Budget{unit}Remaining": floor(left),
        }


@dataclass
class ApplicationSignals:
    """The service of one account and its linked ones; an instance is what `serving` serves."""

    slos: list[FakeSlo]
    spoil: Spoil = lambda _path, answer: answer
    log: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """Method, path, parameters and body of each request."""

    def __call__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        address = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        asked = json.loads(body) if body else None
        self.log.append((handler.command, address.path, query, asked))
        login = handler.headers.get("Authorization") or ""
        if f"/{REGION}/application-signals/aws4_request" not in login:
            refuse(handler, 403, "MissingAuthenticationTokenException", "no signature")
            return
        answer = self.spoil(address.path, self._answer(address.path, query, asked))
        if answer is None:
            refuse(handler, 404, "ResourceNotFoundException", "SLO not found")
        elif isinstance(answer, tuple):
            refuse(handler, *answer)
        else:
            send(handler, json.dumps(answer).encode(), headers=JSON)

    def _answer(self, path: str, query: Mapping[str, str], asked: Any) -> Any:
        if path == "/slos":
            linked = query.get("IncludeLinkedAccounts") == "true"
            own = [slo for slo in self.slos if linked or slo.account == ACCOUNT]
            return _page([slo.summary for slo in own], "SloSummaries", query)
        if path == "/budget-report":
            at = datetime.fromtimestamp(asked["Timestamp"], UTC)
            wanted = [(name, self._find(name)) for name in asked["SloIds"]]
            missing = {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": "not found"}
            return {
                "Timestamp": asked["Timestamp"],
                "Reports": [slo.report(at) for _, slo in wanted if slo],
                "Errors": [{"Name": n, "Arn": n, **missing} for n, slo in wanted if not slo],
            }
        slo = self._find(unquote(path.split("/")[2]))
        if slo is None:
            return None
        if path.endswith("/exclusion-windows"):
            return _page(list(slo.exclusions), "ExclusionWindows", query)
        return {"Slo": slo.definition}

    def _find(self, name: str) -> FakeSlo | None:
        return next((slo for slo in self.slos if name in {slo.arn, slo.name}), None)


JSON = {"Content-Type": "application/json"}


def refuse(handler: BaseHTTPRequestHandler, status: int, kind: str, words: str) -> None:
    """Refuse a request as services do whose protocol is REST with JSON."""
    headers = {**JSON, "x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/"}
    send(handler, json.dumps({"Message": words}).encode(), status=status, headers=headers)


def _page(entries: list[Any], key: str, query: Mapping[str, str]) -> dict[str, Any]:
    first, most = int(query.get("NextToken", "0")), int(query.get("MaxResults", "50"))
    rest = {"NextToken": str(first + most)} if len(entries) > first + most else {}
    return {key: entries[first : first + most], **rest}
