"""Reports made of histories that are known, by the program itself and a backend in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.incidents import IncidentOptions
from gate.analysis.report import Report
from gate.analysis.report.run import gather_report
from gate.backends.static import StaticSettings
from gate.check.options import Options
from gate.config.load import PolicyFile
from gate.history.records import Deployment, IncidentRecord, RecordStatus
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.telling import DAY, Slot, Telling, slots

HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e|`@here`"
OUTAGE, SLOW = (9.0, 2.0), (3.0, 6.0)
"""Days ago, and for how many hours."""
BEGAN = AT - timedelta(days=9)
STORY: Mapping[str, Sequence[Slot]] = {
    "calm": slots(60),
    "outage": slots(60, bad={OUTAGE: 0.02, SLOW: 0.01, (20.0, 2.0): 0.004}),
    "spikes": slots(61, bad={(day + 0.5, 1.0): 0.02 * (day % 4) for day in range(31)}),
    "gap": slots(60, bad={(7.0, 48.0): -1, (1.0, 4.0): 0.2}),
}
"""``outage``: of 8,640 x 300 events 2,592 may fail; 24 x 6 + 72 x 3 + 24 x 1.2 = 388.8 do."""
RECORD = IncidentRecord(
    services=("chat",),
    id="INC-42",
    title="the database failed over",
    start=BEGAN,
    end=BEGAN + timedelta(hours=2),
    status=RecordStatus.RESOLVED,
    cause="a failover",
    link="https://wiki.example/42",
)
DEPLOYS = (
    Deployment(time=BEGAN - timedelta(minutes=5), revision="abc1234", change="model-update"),
    Deployment(time=AT - 5 * DAY, revision="def5678", service="chat"),
    Deployment(time=AT - 5 * DAY, revision="elsewhere", service="mail"),
    Deployment(time=AT - 50 * DAY, revision="too-old"),
)
HOSTILE_FIELDS: Mapping[str, Any] = {
    "records": (
        RECORD,
        replace(RECORD, id=HOSTILE, title=HOSTILE, cause=HOSTILE, link="javascript:alert(1)"),
    ),
    "deploys": (*DEPLOYS, replace(DEPLOYS[0], revision=HOSTILE, change=HOSTILE)),
}
QUARTER = (
    slo("spikes").replace("name: spikes", "name: quarter").replace("30d", "{calendar: quarter}")
)
BOTH = "  - {name: all, composite: [{slo: nobody}]}\n"
MONEY = slo("money", budget="allowance: 5 USD").replace("30d", "30d, sli: {spent: money}")


def search(**fields: Any) -> IncidentOptions:
    known: dict[str, Any] = {
        "at": AT,
        "last": 30 * DAY,
        # Three times the five minutes of the commands: a third of the work, and the same sums.
        "step": timedelta(minutes=15),
        "threshold": Fraction(6),
        "timeout": timedelta(seconds=3),
        "records": (RECORD,),
        "deploys": DEPLOYS,
    }
    return IncidentOptions(**(known | fields))


def made(
    *files: PolicyFile,
    told: Mapping[str, Sequence[Slot]] = STORY,
    change: str | None = None,
    by: str | None = None,
    **fields: Any,
) -> Report:
    """Return the report on policies that all ask one backend."""
    backend = Telling(told, timed=frozenset({"outage"}))
    opening = Opening({_backend(one): backend for one in files})
    groups = None if by is None else CohortOptions(at=AT, by=by, timeout=timedelta(seconds=3))
    options = Options(at=AT, change=change)
    return gather_report(files, options, search(**fields), groups, open_with=opening)


def whole(**fields: Any) -> Report:
    """Return a report with all there is: holes, not measured, money, hostile texts."""
    named = [slo(name) for name in ("outage", "gap", "nobody")]
    return made(
        file("chat", *named, QUARTER, MONEY),
        hostile(),
        by=f"template{HOSTILE}",
        **HOSTILE_FIELDS,
        **fields,
    )


def hostile() -> PolicyFile:
    """Return a policy in which everything that somebody else may have written is hostile."""
    plain = file("evil", slo("outage"), slo("nobody"))
    policy = replace(
        plain.policy,
        service=f"evil{HOSTILE}",
        owners=(HOSTILE,),
        slos=tuple(replace(one, name=f"{one.name}{HOSTILE}") for one in plain.policy.slos),
        tiers=tuple(replace(one, name=f"{one.name}{HOSTILE}") for one in plain.policy.tiers),
        dashboard="javascript:alert(1)",
    )
    source = replace(plain.source, path=HOSTILE, revision=HOSTILE)
    return replace(plain, policy=policy, source=source)


def _backend(one: PolicyFile) -> str:
    assert isinstance(one.settings, StaticSettings)
    return one.settings.path.name
