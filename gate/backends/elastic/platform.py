"""Kibana as an SLO platform: its list of SLOs, and their numbers at one instant.

The API: https://www.elastic.co/docs/api/doc/kibana/group/endpoint-slo
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from gate.backends.elastic.answers import SloQuery, answer_of_snapshot, answer_of_summary
from gate.backends.elastic.definitions import KibanaSlo, ListedSlo, slo_of
from gate.backends.elastic.listing import AT_ONCE, SLOS, SloList, question_for
from gate.backends.elastic.settings import ElasticSettings, secrets
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import (
    ApiError,
    Call,
    Dialogue,
    JsonObject,
    refusal_of_the_past,
    timestamp,
)
from gate.backends.platforms.platform import Question
from gate.http import Clock
from gate.measure import Answer, Cause, Definition, MeasurementError, Unmeasured
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.indicator import Sli

_TITLE: Final = "Elastic"
_SNAPSHOT: Final = f"{SLOS}/_bulk_snapshot"
_IN_ONE_SNAPSHOT: Final = 100
"""The maximum number of SLOs in a request; more are refused."""
_HEADERS: Final = {"kbn-xsrf": "true", "Elastic-Api-Version": "2023-10-31"}
"""Headers without which Kibana refuses requests that could come from another page of a browser; and
the version of its API."""
_DIALOGUE: Final = Dialogue(
    words=lambda body: str(body.get("message") or body.get("error") or ""),
    hints={
        400: "see whether a proxy removes the header kbn-xsrf, and whether Kibana is too old",
        401: "set backend.api_key to a valid key of this Kibana, as Kibana shows it (encoded)",
        403: "give the API key the Kibana privilege Read of SLOs in this space; SLOs need a"
        " Platinum licence",
        404: "check backend.url and backend.space: Kibana has no SLOs there, or is too old",
    },
)
_NO_WINDOWS: Final = (
    "Elastic's API counts an SLO over its own window only; let an alert of Kibana watch burn rates"
)


class ElasticPlatform:
    """The SLOs of one space of a Kibana."""

    title = _TITLE

    def __init__(
        self, settings: ElasticSettings, timeout: float, clock: Clock | None = None
    ) -> None:
        """Prepare; nothing is requested yet.

        Args:
            settings: the settings of the policy.
            timeout: the time limit in seconds of everything between two calls of `begin`.
            clock: the clock of the run.
        """
        url = urlsplit(settings.url.strip())
        bare = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2])).rstrip("/")
        space = "" if settings.space is None else f"/s/{settings.space}"
        self._shown = f"{settings.shown or bare}{space}"
        self._space = settings.space or "default"
        self._api = Api(
            url=f"{bare}{space}",
            shown=self._shown,
            headers={"Authorization": f"ApiKey {settings.api_key}", **_HEADERS},
            secrets=secrets(settings),
            dialogue=_DIALOGUE,
            timeout=timeout,
            retries=settings.retries,
            clock=clock,
        )
        self._list = SloList(self._api, self._shown)
        self._slos = dict[Sli, KibanaSlo]()

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        self._api.begin()

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return Kibana's definition for each indicator; see `Platform`."""
        entries = self._list.entries([str(sli.slo) for sli in slis])
        return [self._defined(sli, entries[str(sli.slo)]) for sli in slis]

    def _defined(self, sli: Sli, entries: list[ListedSlo] | ApiError) -> Definition | Unmeasured:
        query = f"GET {SLOS}?kqlQuery={question_for(str(sli.slo))}"
        try:
            if isinstance(entries, ApiError):
                raise entries
            slo = slo_of(sli, entries)
        except MeasurementError as error:
            return error.answer(query)
        self._slos[sli] = slo
        return slo.definition

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        """Answer every question, in order; see `Platform`."""
        slos = {q.sli: self._slos[q.sli] for q in questions if q.main}
        counted = self._counted(list(dict.fromkeys(slos.values())), at)
        without = Unmeasured(cause=Cause.NO_DATA, reason=_NO_WINDOWS)
        return [counted[slos[q.sli]] if q.main else without for q in questions]

    def _counted(self, slos: Sequence[KibanaSlo], at: datetime) -> dict[KibanaSlo, Answer]:
        """Return the answer for each SLO, in batches for one instant."""
        batches = [
            slos[start : start + _IN_ONE_SNAPSHOT]
            for start in range(0, len(slos), _IN_ONE_SNAPSHOT)
        ]
        when = _written(at)
        calls = [
            Call(
                path=_SNAPSHOT,
                method="POST",
                body={"at": when, "requests": [_requested(slo) for slo in batch]},
            )
            for batch in batches
        ]
        answers = dict[KibanaSlo, Answer]()
        for batch, body in zip(batches, self._api.ask_all(calls, AT_ONCE), strict=True):
            if isinstance(body, ApiError) and body.status == HTTPStatus.NOT_FOUND:
                answers |= self._summaries(batch, at)
            elif isinstance(body, ApiError):
                answers |= dict.fromkeys(batch, body.answer(f"POST {_SNAPSHOT}"))
            else:
                answers |= self._read(batch, body, at)
        return answers

    def _read(
        self, batch: Sequence[KibanaSlo], body: JsonObject, at: datetime
    ) -> dict[KibanaSlo, Answer]:
        results, when = body.get("results"), _written(at)
        if not isinstance(results, list) or timestamp(body.get("at")) != timestamp(when):
            reason = f"{self._shown}: the answer is not about {when}, or has no results"
            return dict.fromkeys(batch, Unmeasured(cause=Cause.INVALID, reason=reason))
        by_key = dict[tuple[str, str], list[Mapping[str, Any]]]()
        for result in results:
            if isinstance(result, Mapping):
                key = str(result.get("id")), str(result.get("instanceId"))
                by_key.setdefault(key, []).append(result)
        return {
            slo: answer_of_snapshot(
                self._inquiry(
                    slo, at, f"POST {_SNAPSHOT} {when} {slo.definition.id} {slo.instance}"
                ),
                by_key.get((slo.definition.id, slo.instance), []),
            )
            for slo in batch
        }

    def _summaries(self, batch: Sequence[KibanaSlo], at: datetime) -> dict[KibanaSlo, Answer]:
        """Query an older Kibana, one SLO after the other, for the present."""
        refusal = refusal_of_the_past("this version of Kibana", at, self._api.clock.now())
        if refusal is not None:
            return dict.fromkeys(batch, refusal)
        calls = [
            Call(
                path=f"{SLOS}/{quote(slo.definition.id, safe='')}",
                params={"instanceId": slo.instance},
            )
            for slo in batch
        ]
        answers = dict[KibanaSlo, Answer]()
        for slo, call, body in zip(batch, calls, self._api.ask_all(calls, AT_ONCE), strict=True):
            query = f"GET {call.path}?instanceId={slo.instance}"
            inquiry = self._inquiry(slo, at, query)
            answers[slo] = (
                body.answer(query)
                if isinstance(body, ApiError)
                else answer_of_summary(inquiry, body)
            )
        return answers

    def _inquiry(self, slo: KibanaSlo, at: datetime, query: str) -> SloQuery:
        return SloQuery(slo=slo, at=at, query=query, words=self._api.words)

    def examine(self) -> list[CheckResult]:
        """Return the results of ``gate doctor`` for the whole space; see `Platform`."""
        listed = self._api.ask(Call(path=SLOS, params={"perPage": "1"}))
        number, space = listed.get("total"), f"the space {self._space}"
        has_any = isinstance(number, int) and number > 0
        version = "this Kibana counts all SLOs at one instant (_bulk_snapshot)"
        empty = {"at": _written(self._api.clock.now()), "requests": []}
        try:
            self._api.ask(Call(path=_SNAPSHOT, method="POST", body=empty))
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            version = (
                "this Kibana has no _bulk_snapshot: it reports ratios with six decimals, for now"
                " only"
            )
        return [
            CheckResult(
                check=Check.SITE,
                level=Level.OK if has_any else Level.DOUBT,
                message=f"SLOs and groups in {space}: {number}"
                if has_any
                else f"{space} lists no SLO",
                remedy="" if has_any else "set backend.space to the space that has the SLOs",
                examined=f"GET {self._shown}{SLOS}",
            ),
            CheckResult(
                check=Check.VERSION, message=version, examined=f"POST {self._shown}{_SNAPSHOT}"
            ),
        ]


def _requested(slo: KibanaSlo) -> dict[str, str]:
    return {"id": slo.definition.id, "instanceId": slo.instance}


def _written(at: datetime) -> str:
    """Write an instant in Kibana's form, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
