"""The histories to request, so that a batch of questions takes the fewest requests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gate.backends.datadog.buckets import EventBuckets, WindowTally
from gate.backends.datadog.counting import HistoryReading
from gate.backends.datadog.history import History, read_history
from gate.backends.datadog.suspicions import contradiction
from gate.backends.datadog.values import EpochWindow, instant_of, window_of
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, JsonObject
from gate.backends.platforms.platform import Question
from gate.measure import Cause, MeasurementError

_FRESH: Final = 3600
"""The number of seconds before the instant in which the newest events are searched for if a long
window's buckets are too long to show them."""
_SHORT: Final = 600
"""The maximum length in seconds of a bucket that shows well enough how new the events are."""
HistoryKey = tuple[str, EpochWindow]
"""The id of an SLO, and the requested stretch of time."""


class Histories:
    """The answers to one batch of questions; each is requested once."""

    def __init__(self, api: Api, parallel: int, *, corrections: bool) -> None:
        """Prepare; nothing is requested yet.

        Args:
            api: the API of the site.
            parallel: the maximum number of concurrent requests.
            corrections: whether Datadog applies status corrections.
        """
        self._api, self._parallel, self._corrections = api, parallel, corrections
        self._bodies: dict[HistoryKey, JsonObject | ApiError] = {}
        self._read: dict[tuple[str, EpochWindow, str | None], History | MeasurementError] = {}

    def ask(self, questions: Sequence[Question]) -> None:
        """Request everything that the answers need.

        The longest window of each SLO comes first: shorter windows are counted from its answer if
        that is exact. The other windows follow.
        """
        longest = dict[str, Question]()
        for question in questions:
            other = longest.setdefault(question.definition.id, question)
            if window_of(question.span).length > window_of(other.span).length:
                longest[question.definition.id] = question
        self._fetch([(slo, window_of(question.span)) for slo, question in longest.items()])
        self._fetch(
            [
                (question.definition.id, window_of(question.span))
                for question in questions
                if self._within_longer(question) is None
            ]
        )
        self._fetch([key for question in questions for key in self._to_see_the_newest(question)])

    def read(self, question: Question) -> HistoryReading:
        """Return the known data for a question.

        Raises:
            MeasurementError: no data are known; with the reason.
        """
        if (within := self._within_longer(question)) is not None:
            return within
        window = window_of(question.span)
        history = self.history(question, window)
        tally = None if history.past is None else history.past.since(window.start)
        return HistoryReading(history=history, tally=tally, direct=True)

    def history(self, question: Question, window: EpochWindow) -> History:
        """Return the checked answer about a window; raises MeasurementError."""
        key = (question.definition.id, window, question.sli.group)
        if key not in self._read:
            self._read[key] = self._checked(question, window)
        history = self._read[key]
        if isinstance(history, MeasurementError):
            raise history
        return history

    def _checked(self, question: Question, window: EpochWindow) -> History | MeasurementError:
        body = self._bodies[question.definition.id, window]
        if isinstance(body, ApiError):
            return body
        granted = question.definition.granted
        try:
            return read_history(body, window, granted, question.sli.group)
        except MeasurementError as error:
            return error

    def seen(self, question: Question, history: History) -> tuple[Question, History]:
        """Return the history that shows when events happened, for example that of all groups.

        Every event of a group is an event of the whole SLO. If the whole SLO is unknown, the
        question itself and its answer are returned.

        Raises:
            MeasurementError: the SLO as a whole has no events.
        """
        if history.past is not None:
            return question, history
        whole = replace(question, sli=replace(question.sli, group=None))
        try:
            return whole, self.history(whole, history.window)
        except MeasurementError as error:
            if error.cause is Cause.NO_TRAFFIC:
                raise
            return question, history

    def newest(self, question: Question, history: History) -> datetime | None:
        """Return the time of the newest event, or the time until which the state is known.

        Args:
            question: a question about an SLO's own window.
            history: the answer to it.

        Raises:
            MeasurementError: the answer that should say it is not usable.
        """
        past = history.past
        newest = None if past is None else past.newest
        window = self._newest_window(question, history)
        if window is None or (question.definition.id, window) not in self._bodies:
            return newest
        start = instant_of(window.start)
        try:
            recent = self.history(question, window).past
        except MeasurementError as error:
            if error.cause is not Cause.NO_TRAFFIC:
                raise
            return start if newest is None else min(newest, start)
        # If no time of it can be used, the newest event may be the oldest requested one.
        return (recent and recent.newest) or start

    def _newest_window(self, question: Question, history: History) -> EpochWindow | None:
        """Return the window in which the newest event is searched for; None: the answer's own."""
        past, end = history.past, history.window.end
        short = history.window.length <= _FRESH
        if short or not isinstance(past, EventBuckets) or 0 < past.interval <= _SHORT:
            return None
        recent = EpochWindow(end - _FRESH, end)
        shorter = [
            window
            for slo, window in self._bodies
            if slo == question.definition.id
            and window.end == end
            and _SHORT <= window.length <= _FRESH
        ]
        return min(shorter, key=lambda window: window.length, default=recent)

    def _to_see_the_newest(self, question: Question) -> Iterator[HistoryKey]:
        if not question.main:
            return
        try:
            whole, history = self.seen(question, self.read(question).history)
        except MeasurementError:
            return
        if (window := self._newest_window(whole, history)) is not None:
            yield question.definition.id, window

    def _within_longer(self, question: Question) -> HistoryReading | None:
        """Return the answer as a part of one for a longer window; None: no such answer."""
        window = window_of(question.span)
        for slo, longer in self._bodies:
            if slo == question.definition.id and longer.end == window.end:
                try:
                    history = self.history(question, longer)
                    tally = _since(history, window.start)
                except MeasurementError:
                    continue
                if tally is not None:
                    return HistoryReading(history=history, tally=tally, direct=longer == window)
        return None

    def _fetch(self, keys: Sequence[HistoryKey]) -> None:
        """Request the missing histories, several at once."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._bodies]
        calls = [history_call(*key, corrections=self._corrections) for key in missing]
        answers = self._api.ask_all(calls, self._parallel) if calls else []
        self._bodies |= zip(missing, answers, strict=True)


def history_call(slo: str, window: EpochWindow, *, corrections: bool) -> Call:
    """Return the request for the history of an SLO in a window."""
    params = {"from_ts": str(window.start), "to_ts": str(window.end)}
    params["apply_correction"] = "true" if corrections else "false"
    return Call(path=f"/api/v1/slo/{slo}/history", params=params)


def _since(history: History, start: int) -> WindowTally | None:
    """Return the history from a second on; None: it is not known exactly."""
    if history.past is None or start < history.window.start:
        return None
    if start != history.window.start and contradiction(history):
        return None
    return history.past.since(start)
