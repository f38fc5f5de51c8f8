"""What healthy services do: none of it may raise a doubt, and real failures must still block."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from benchmarks.truth.generator import FIRST, SCRAPE, TICKS, Floats, History, Page, Pod, pod

HOUR: Final = timedelta(hours=1) // SCRAPE
DAY: Final = 24 * HOUR
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One way of being healthy."""

    name: str
    traffic: Callable[[Rng], Floats]
    """Requests by tick, of a mean of about 1."""
    pods: Callable[[Rng, Page, Floats], list[Pod]]
    """Which processes there are, by what they expose and the traffic."""
    then: Callable[[History], None] = lambda _history: None
    """What else happens to the samples."""
    failures: bool = True
    """Whether any event is bad where the service is healthy."""
    scale: float = 1.0
    """How much of the usual traffic it has."""


def steady(_rng: Rng) -> Floats:
    """Return the same at all hours."""
    return np.ones(TICKS)


def by_day(rng: Rng) -> Floats:
    """Return most by day and little at night, the clock of which is anywhere in the world."""
    hours = np.arange(TICKS) / HOUR + rng.uniform(0, 24)
    return np.asarray(1 + 0.8 * np.sin(hours * 2 * np.pi / 24))


def asleep_at_night(rng: Rng) -> Floats:
    """Return nothing for eight to ten hours of each day, now perhaps among them."""
    hours = (np.arange(TICKS) / HOUR + rng.uniform(0, 24)) % 24
    return np.where(hours < rng.uniform(8, 10), 0.0, 1.5)


def awake_now(rng: Rng) -> Floats:
    """Return nothing for eight to ten hours of each day, which now is not among."""
    hours = ((np.arange(TICKS) - TICKS) / HOUR + rng.uniform(11, 23)) % 24
    return np.where(hours < rng.uniform(8, 10), 0.0, 1.5)


def asleep_at_weekends(rng: Rng) -> Floats:
    """Return a working day, a weekend of which a part is not over yet, or a Monday after it."""
    begin = FIRST + int(rng.integers(8 * HOUR, 40 * HOUR))
    traffic = by_day(rng)
    for friday in (begin, begin - 7 * DAY):
        traffic[max(friday, 0) : max(friday + 48 * HOUR, 0)] = 0
    return traffic


def growing(_rng: Rng) -> Floats:
    """Return 25 times as much at the end as at the start."""
    return np.asarray(np.geomspace(0.1, 2.5, TICKS))


def shrinking(_rng: Rng) -> Floats:
    """Return a 25th at the end of what there was at the start."""
    return np.asarray(np.geomspace(2.5, 0.1, TICKS) * 4)


def in_bursts(rng: Rng) -> Floats:
    """Return a batch job's requests: an hour of them, and then none for one to five."""
    traffic, tick = np.zeros(TICKS), 0
    while tick < TICKS:
        traffic[tick : tick + HOUR] = 3
        tick += HOUR + int(rng.integers(HOUR, 5 * HOUR))
    return traffic


def two_pods(_rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return two that live all the time."""
    return [pod({"pod": f"chat-{place}"}, page) for place in range(2)]


def single(_rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return the only one."""
    return [pod({"pod": "chat-0"}, page)]


def rolling(rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return two replicas that are deployed anew every few hours, each under a new name."""
    pods, name = list[Pod](), 0
    for _replica in range(2):
        begin = 0
        while begin < TICKS:
            end = min(begin + int(rng.integers(6 * HOUR, 20 * HOUR)), TICKS)
            pods.append(pod({"pod": f"chat-{name}"}, page, begin, end))
            begin, name = end, name + 1
    return pods


def hourly(rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return pods of an hour each, one after the other."""
    begin, pods = -int(rng.integers(HOUR)), list[Pod]()
    while begin < TICKS:
        start, stop = max(begin, 0), min(begin + HOUR, TICKS)
        pods.append(pod({"pod": f"chat-{len(pods)}"}, page, start, stop))
        begin += HOUR
    return pods


def scaled_to_zero(_rng: Rng, page: Page, traffic: Floats) -> list[Pod]:
    """Return a new pod for each time with traffic, and none between."""
    busy = np.concatenate([[False], traffic > 0, [False]])
    edges = np.flatnonzero(busy[1:] != busy[:-1])
    return [
        pod({"pod": f"chat-{start}"}, page, int(start), int(stop))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def autoscaled(rng: Rng, page: Page, traffic: Floats) -> list[Pod]:
    """Return one pod for ever, and more by day."""
    pods = single(rng, page, traffic)
    for place, bar in enumerate((0.8, 1.2, 1.6), start=1):
        for number, peak in enumerate(scaled_to_zero(rng, page, np.where(traffic > bar, 1.0, 0.0))):
            peak.labels = {"pod": f"chat-{place}-{number}"}
            pods.append(peak)
    return pods


def blue_green(rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return a blue pod that stays on standby when the green one takes its traffic."""
    swap = int(rng.integers(FIRST, TICKS - HOUR))
    blue = pod({"pod": "chat-blue"}, page)
    green = pod({"pod": "chat-green"}, page, swap - HOUR // 2)
    for weights in (blue.share, blue.failing):
        weights[swap:] = 0
    for weights in (green.share, green.failing):
        weights[:swap] = 0
    return [blue, green]


def with_canary(rng: Rng, page: Page, traffic: Floats) -> list[Pod]:
    """Return two pods, and a canary that gets a twentieth for some hours and is taken away."""
    begin = int(rng.integers(FIRST, TICKS - 8 * HOUR))
    canary = pod({"pod": "chat-canary"}, page, begin, begin + int(rng.integers(HOUR, 6 * HOUR)))
    canary.share *= 0.1
    canary.failing *= 0.1
    return [*two_pods(rng, page, traffic), canary]


def replaced(_rng: Rng, page: Page, _traffic: Floats) -> list[Pod]:
    """Return a pod that failed at times, and one in its place that never does."""
    swap = FIRST + (TICKS - FIRST) // 3
    return [pod({"pod": "chat-0"}, page, 0, swap), pod({"pod": "chat-1"}, page, swap)]


def _failures_end(history: History) -> None:
    history.bad[history.pods[0].stop :] = 0


def _incident_ends(history: History) -> None:
    """Let the pod that was replaced have failed ten times as often as the one after it."""
    swap = history.pods[0].stop
    history.bad[swap:] = history.rng.binomial(history.bad[swap:], 0.1)


def _not_scraped(history: History) -> None:
    begin, length = history.change, int(history.rng.integers(3, 12))
    for member in history.pods:
        member.seen[begin : begin + length] = False


def _restarts(history: History) -> None:
    for member in history.pods:
        number = int(history.rng.integers(1, 4))
        member.crashes += history.rng.integers(FIRST, TICKS - 2, number).tolist()


def _scraped_less_often(history: History) -> None:
    for member in history.pods:
        member.seen[history.change :: 2] = False


def _scraped_late(history: History) -> None:
    history.offset = 90.0


def _younger_than_window(history: History) -> None:
    birth = FIRST + int((TICKS - FIRST) * 0.08)
    history.good[:birth] = history.bad[:birth] = 0
    for member in history.pods:
        page = member.pages.pop(member.start)
        member.start = max(member.start, birth)
        member.pages[member.start] = page


PLAIN_NAMES: Final = frozenset(
    {"nothing happens", "rolling deploys", "growth", "autoscaled", "restarts"}
)
LIVES: Final = (
    Life(name="nothing happens", traffic=steady, pods=two_pods),
    Life(name="no failure at all", traffic=by_day, pods=two_pods, failures=False),
    Life(name="errors went away with their pod", traffic=by_day, pods=replaced, then=_failures_end),
    Life(name="a bug that a deploy ended", traffic=by_day, pods=replaced, then=_incident_ends),
    Life(name="a canary", traffic=by_day, pods=with_canary),
    Life(name="sleeps at night", traffic=asleep_at_night, pods=two_pods),
    Life(name="sleeps at weekends", traffic=asleep_at_weekends, pods=single),
    Life(name="scaled to zero at night", traffic=awake_now, pods=scaled_to_zero),
    Life(name="batch jobs", traffic=in_bursts, pods=single),
    Life(name="autoscaled", traffic=by_day, pods=autoscaled),
    Life(name="rolling deploys", traffic=by_day, pods=rolling),
    Life(name="blue and green", traffic=by_day, pods=blue_green),
    Life(name="pods of an hour", traffic=by_day, pods=hourly),
    Life(name="little traffic", traffic=by_day, pods=two_pods, scale=0.02),
    Life(name="growth", traffic=growing, pods=two_pods),
    Life(name="customers leave", traffic=shrinking, pods=two_pods),
    Life(name="a gap of minutes", traffic=by_day, pods=two_pods, then=_not_scraped),
    Life(name="restarts", traffic=by_day, pods=two_pods, then=_restarts),
    Life(name="scraped less often", traffic=by_day, pods=two_pods, then=_scraped_less_often),
    Life(name="a clock that is off", traffic=by_day, pods=two_pods, then=_scraped_late),
    Life(
        name="a little younger than the window",
        traffic=by_day,
        pods=two_pods,
        then=_younger_than_window,
    ),
)
PLAIN: Final = tuple(life for life in LIVES if life.name in PLAIN_NAMES)
"""What a mutation may happen on top of."""
STAYING: Final = tuple(life for life in PLAIN if life.name in {"nothing happens", "growth"})
"""Those of them whose processes never end."""
