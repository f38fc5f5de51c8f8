"""The remedy for each cause of an unknown budget, and for each failure of a server.

There is one table: messages end with the ``hint`` of an entry, and docs/troubleshooting.md has a
section for each entry. `remedy_of` looks up a `Cause`, and `REMEDIES` has every entry by its key.
"""

import re
from functools import cache
from typing import Final

from gate.dataclass import dataclass
from gate.measure import Cause
from gate.measure.clickhouse_troubles import CLICKHOUSE
from gate.measure.cloud_troubles import PLATFORMS, STORES
from gate.measure.postgres_troubles import POSTGRES
from gate.measure.spark_troubles import SPARK
from gate.measure.troubles import CONNECTION, HOSTS, LOGS, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One possible problem, and its remedy."""

    key: str
    """Unique in the table; the anchor of the section in docs/troubleshooting.md."""
    title: str
    """The problem as a heading, without a full stop."""
    means: str
    """The meaning and the usual causes, in whole sentences."""
    hint: str
    """The remedy: one or two clauses in the imperative, without a capital and a full stop, so that
    they can be the end of a message."""

    @property
    def action(self) -> str:
        """The remedy as a sentence: the hint with a capital and a full stop."""
        return f"{self.hint[:1].upper()}{self.hint[1:]}."


def remedy_of(cause: Cause) -> Remedy:
    """Return the remedy for a cause; every cause has an entry."""
    return REMEDIES[cause.value]


def hint_for(key: str) -> str:
    """Return the remedy as the end of a message, with the semicolon before it.

    Args:
        key: the key of an entry; for an empty one, the result is empty.
    """
    return f"; {REMEDIES[key].hint}" if key else ""


def with_advice(reason: str, advice: str) -> tuple[str, str]:
    """Return a reason and its remedy: the hint that `hint_for` added, otherwise the advice."""
    hint = advice_in(reason)
    if hint and reason.endswith(end := f"; {hint}"):
        return reason.removesuffix(end), hint
    return reason, advice


def advice_in(reason: str) -> str:
    """Return the hint of an entry at the end of a reason, in the words of the reason; or empty.

    A hint names keys of the backend (``backend.url``), which are ``backends.judge.url`` if the
    policy has several.
    """
    for ending in _endings():
        if match := ending.search(reason):
            return match[0]
    return ""


@cache
def _endings() -> tuple[re.Pattern[str], ...]:
    place = r"backend(?:s\.[^;,]+?)?\."
    texts = (re.escape(remedy.hint) for remedy in REMEDIES.values())
    return tuple(re.compile(text.replace(r"backend\.", place) + r"\Z") for text in texts)


_CAUSES: Final[Rows] = (
    (
        Cause.NO_DATA,
        "No data came back",
        "The backend answered and has nothing for this indicator in the window: a metric or label"
        " has another name, the server is not scraped, or the window begins before the data.",
        "run gate doctor gate.yaml, which says which metric, label or time is missing and names"
        " similar ones",
    ),
    (
        Cause.NO_TRAFFIC,
        "There was no traffic",
        "The series exist and did not grow: no request came in the window, good or bad.",
        "check that the service receives requests and that the labels select it; set"
        " on.no_traffic where quiet windows are normal",
    ),
    (
        Cause.INVALID,
        "The answer cannot be a count",
        "The expression returns NaN, a negative number, several series, or more bad events than"
        " events; or a value does not fit its column.",
        "correct the expression or the rows that it does not fit; in PromQL it must return one"
        " number, most often sum(increase(...[$window]))",
    ),
    (
        Cause.STALE,
        "The newest data is too old",
        "The newest sample is older than max_age, so that it says nothing about the present: the"
        " target is down, scraping has stopped, or the newest log file is missing.",
        "check that the target is up and scraped, or fetch the newest logs; set max_age where data"
        " always arrives late",
    ),
    (
        Cause.PARTIAL,
        "The backend returned only a part of the answer",
        "The backend warns that a store, shard or replica did not answer. What that part holds is"
        " missing from the count.",
        "check which store or shard is down, and run the check again when it answers",
    ),
    (
        Cause.BACKEND_ERROR,
        "The backend failed",
        "The backend could not be reached, refused the request, ran out of time or answered"
        " something that cannot be read. The message has the backend's own words.",
        "check the backend's address, login and health; run gate doctor gate.yaml to test the"
        " connection",
    ),
    (
        Cause.LOW_TRAFFIC,
        "There are too few events",
        "With this few events a single failure moves the ratio by more than the whole budget.",
        "wait for more traffic, choose a longer window, or set min_events for this SLO",
    ),
    (
        Cause.LOW_COVERAGE,
        "A part of the window has no data",
        "Less than min_coverage of the window has data, so that failures may be missing: the"
        " service is young, the server keeps too little, or scraping was interrupted.",
        "choose a shorter window, or wait until the window is filled; gate doctor gate.yaml shows"
        " the gaps",
    ),
    (
        Cause.MOSTLY_UNCOVERED,
        "Most of the window has no data",
        "Less than coverage_floor of the window has data. What happened in the rest is unknown.",
        "choose a window that the backend's retention covers; for a young service set a shorter"
        " window first",
    ),
    (
        Cause.UNMATCHED,
        "A selector no longer matches",
        "A selector of the indicator cannot match any series, or no longer finds what it found"
        " before: a label was renamed, or a new version exports other names.",
        "run gate doctor gate.yaml, then correct the label matchers in the indicator",
    ),
    (
        Cause.BORN,
        "Error counters began above zero",
        "A counter of bad events had a value when it was first seen. Prometheus' increase() does"
        " not count what happened before the first sample.",
        "initialise the error counters to zero when the server starts, or wait until the restart"
        " has left the window",
    ),
    (
        Cause.CONTRADICTED,
        "Two counts contradict each other",
        "The labels of the total say that events failed which the bad events do not include.",
        "correct the expression of the bad events so that it counts them, or exclude them from the"
        " total",
    ),
    (
        Cause.LOST,
        "Events were lost",
        "The service handled requests while nothing was recorded: a target was down between two"
        " samples, log files are missing, or a window had to be split.",
        "check the service's own logs for that time, fetch the missing files, or wait until the"
        " gap has left the window",
    ),
    (
        Cause.UNKNOWN_OUTCOME,
        "Some events have no outcome",
        "Rows whose outcome is empty are neither good nor bad.",
        "log the outcome of every event, or exclude these rows with total",
    ),
    (
        Cause.ROUNDED,
        "The platform's share is too coarse",
        "The SLO platform reports a rounded share and no counts. All that may be true of it was"
        " tried: at some of it the policy would decide otherwise.",
        "wait until the threshold is outside of the share's possible values, count the events in"
        " another"
        " backend, or set on.rounded to warn, which takes the share as it is shown",
    ),
    (
        Cause.NOT_COVERED,
        "A rule cannot look at this SLO",
        "The rule needs events step by step, which this kind of SLO or backend does not have.",
        "remove the rule, or set on.not_covered to warn or allow",
    ),
)
"""The remedies by `Cause`."""
REMEDIES: Final = {
    key: Remedy(key=str(key), title=title, means=means, hint=hint)
    for key, title, means, hint in (
        *_CAUSES,
        *CONNECTION,
        *LOGS,
        *STORES,
        *CLICKHOUSE,
        *POSTGRES,
        *SPARK,
        *PLATFORMS,
        *HOSTS,
    )
}
"""Every entry by its key, in the order of docs/troubleshooting.md."""
