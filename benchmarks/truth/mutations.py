"""The ways in which metrics change in the wild, each with where it happens.

A mutation changes what is seen of a history: its pods, what they expose, which scrapes succeed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from benchmarks.truth.generator import FIRST, TICKS, Counter, History, Page, Pod, pod
from benchmarks.truth.indicators import NEW_FAMILY, OLD_FAMILY, Indicator
from benchmarks.truth.lives import HOUR

Change = Callable[[Page], Page]


class Kind(StrEnum):
    """What must come of a mutation."""

    HARMLESS = "harmless"
    """The count stays what happened: a healthy service must not be doubted."""
    HIDING = "hiding"
    """Events may be lost to the count: failures that block must at least be a doubt."""
    TRACELESS = "traceless"
    """The samples may be those of a healthy history, too, and the gate does not tell them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One way."""

    name: str
    where: str
    """A sentence: where it happens."""
    apply: Callable[[History, Indicator], None]
    kind: Kind = Kind.HIDING
    when: "Failing | None" = None
    """When the service fails if it does; None: at any time."""
    fits: Callable[[Indicator], bool] = lambda _indicator: True
    pods_stay: bool = False
    """It only is what it is where no process ends."""
    is_outage: bool = False
    """It is what fails itself."""


class Failing(StrEnum):
    """When a service fails that does."""

    STEADILY = "steadily"
    BURST = "in a burst"
    """For an hour or two at any time."""
    AFTER = "after the change"
    """From the change on, as when an upgrade is bad."""
    AT_ONCE = "at the change"
    """In two scrape intervals around it."""
    SHORTLY = "shortly after the change"
    """In the three hours from it on."""


def upgraded(history: History, change: Change, share: float = 1.0) -> None:
    """Replace pods by new ones that expose something else, from the change on.

    Args:
        history: of the service.
        change: makes the new page of the old one.
        share: of the pods are replaced; 1: all.
    """
    tick, after = history.change, list[Pod]()
    alive = [member for member in history.pods if member.stop > tick]
    for member in alive[: max(round(len(alive) * share), 1)]:
        page = change(_page(member))
        if member.start >= tick:
            member.pages = {member.start: page}
            continue
        successor = replace(
            member,
            labels={**member.labels, **_renamed(member.labels)},
            start=tick,
            pages={tick: page},
            seen=member.seen.copy(),
            crashes=[crash for crash in member.crashes if crash > tick],
        )
        member.crashes = [crash for crash in member.crashes if crash < tick]
        member.stop = tick
        member.share, member.failing = _until(member.share, tick), _until(member.failing, tick)
        successor.share = successor.share - _until(successor.share, tick)
        successor.failing = successor.failing - _until(successor.failing, tick)
        after.append(successor)
    history.pods += after


def _page(member: Pod) -> Page:
    return member.pages[min(member.pages)]


def _renamed(labels: Mapping[str, str]) -> Mapping[str, str]:
    return {"pod": f"{labels['pod']}-v2"} if "pod" in labels else {}


def _until(weights: np.ndarray, tick: int) -> np.ndarray:
    kept = weights.copy()
    kept[tick:] = 0
    return kept


def relabelled(history: History, change: Change) -> None:
    """Expose something else from the change on, by the same processes with the same counters."""
    tick = history.change
    for member in history.pods:
        if member.stop > tick:
            page = change(_page(member))
            member.pages = {**member.pages, max(tick, member.start): page}


def each(change: Callable[[Counter], Counter | None]) -> Change:
    """Return the change of a page that changes each of its counters, or takes it away."""

    def changed(page: Page) -> Page:
        return tuple(new for counter in page if (new := change(counter)) is not None)

    return changed


def _suffixed(suffix: str) -> Change:
    """Give all metrics another name."""

    def rename(counter: Counter) -> Counter:
        return replace(counter, name=counter.name + suffix)

    return each(rename)


def _bad_name(indicator: Indicator, new: str) -> Change:
    def rename(counter: Counter) -> Counter:
        if not counter.name.endswith(indicator.bad):
            return counter
        return replace(counter, name=counter.name.removesuffix(indicator.bad) + new)

    return each(rename)


def _label(old: str, new: str) -> Change:
    def rename(counter: Counter) -> Counter:
        labels = {new if name == old else name: text for name, text in counter.labels.items()}
        return replace(counter, labels=labels)

    return each(rename)


def _value(label: str, spellings: Mapping[str, str]) -> Change:
    def respell(counter: Counter) -> Counter:
        labels = {
            name: spellings.get(text, text) if name == label else text
            for name, text in counter.labels.items()
        }
        return replace(counter, labels=labels)

    return each(respell)


def _without_label(label: str) -> Change:
    """Add up what the label told apart."""

    def merged(page: Page) -> Page:
        counters: dict[tuple[str, tuple[tuple[str, str], ...]], Counter] = {}
        for counter in page:
            labels = {name: text for name, text in counter.labels.items() if name != label}
            key = counter.name, tuple(sorted(labels.items()))
            known = counters.get(key)
            counters[key] = replace(
                counter,
                labels=labels,
                good=counter.good + (known.good if known else 0),
                bad=counter.bad + (known.bad if known else 0),
                lazy=False,
            )
        return tuple(counters.values())

    return merged


def _without_failures(indicator: Indicator) -> Change:
    """Take away every counter of bad events alone, of the metric that the policy names as bad."""

    def keep(counter: Counter) -> Counter | None:
        gone = counter.good == 0 and (
            counter.name.endswith(indicator.bad) if indicator.bad else bool(indicator.status)
        )
        return None if gone else counter

    return each(keep)


def _le(spellings: Mapping[str, str]) -> Change:
    return _value("le", spellings)


def _other_buckets(page: Page) -> Page:
    return tuple(counter for counter in page if counter.labels.get("le") != "2")


def _sampled(counter: Counter) -> Counter:
    return replace(counter, good=counter.good / 10, bad=counter.bad / 10)


def _next_family(counter: Counter) -> Counter:
    return replace(counter, name=counter.name.replace(OLD_FAMILY, NEW_FAMILY))


def _with_region(counter: Counter) -> Counter:
    return replace(counter, labels={**counter.labels, "region": "eu"})


_FAILURE: Final = {"error": "failure", "500": "internal", "success": "ok", "200": "ok"}
"""Respelled with the good ones, since an upgrade that respells does so for all."""
_ONLY_BAD: Final = {"error": "failed", "500": "ERR"}


def _by_status(indicator: Indicator) -> bool:
    return bool(indicator.status)


def _by_metric(indicator: Indicator) -> bool:
    return bool(indicator.bad)


def _by_process(indicator: Indicator) -> bool:
    return indicator.name != "recorded"


def _by_buckets(indicator: Indicator) -> bool:
    return indicator.name.startswith(("histogram", "buckets"))


def _tells_bad(indicator: Indicator) -> bool:
    return bool(indicator.status or indicator.bad)


def _gap_with_restart(history: History, _indicator: Indicator) -> None:
    """Take the scrapes away in which it fails, and start anew before they come back."""
    begin, length = history.change, 3 * HOUR
    for member in history.pods:
        member.seen[begin : begin + length] = False
    for member in [m for m in history.pods if m.start < begin + length - 1 <= m.stop - 2]:
        member.crashes = [*member.crashes, begin + length - 1]
        # What the process had counted in the gap is lost with it.


def _gap(history: History, _indicator: Indicator) -> None:
    for member in history.pods:
        member.seen[history.change : history.change + 3 * HOUR] = False


def _crash_loop(history: History, _indicator: Indicator) -> None:
    """Replace the pods by such that fail and crash within minutes, for three hours."""
    begin = history.change
    page = _page(history.pods[0])
    end = min(begin + 3 * HOUR, TICKS)
    for member in history.pods:
        member.failing[begin:end] = 0
    start = begin
    while start < end:
        stop = min(start + int(history.rng.integers(1, 3)), TICKS)
        history.pods.append(pod({"pod": f"chat-crash-{start}"}, page, start, stop))
        history.pods[-1].share[:] = 0
        start = stop


def _short_pods(history: History, _indicator: Indicator) -> None:
    """Let every pod live an hour, and fail in its first two minutes only."""
    page = _page(history.pods[0])
    history.pods.clear()
    starts = range(0, TICKS, HOUR)
    bad = np.zeros(TICKS, dtype=np.int64)
    for start in starts:
        stop = min(start + HOUR, TICKS)
        history.pods.append(pod({"pod": f"chat-{start}"}, page, start, stop))
        bad[start] = history.bad[start:stop].sum()
    history.bad = bad


def _born_late(history: History, _indicator: Indicator) -> None:
    """Scrape only from the change on what has counted since long before."""
    for member in history.pods:
        member.seen[: history.change] = False


def _born_high(history: History, _indicator: Indicator) -> None:
    """Let the bad series appear only when all its failures are counted."""
    for member in history.pods:
        page = _page(member)
        later = tuple(c for c in page if not c.bad or c.good)
        member.pages = {min(member.pages): later, **_from(member, page, history.change + 1)}


def _from(member: Pod, page: Page, tick: int) -> dict[int, Page]:
    return {max(tick, member.start): page} if tick < member.stop else {}


def _twins(history: History, _indicator: Indicator) -> None:
    for place, member in enumerate(history.pods):
        history.copies.append((place, {**member.labels, "instance": "10.0.0.9:9090"}))


def _stuck(history: History, _indicator: Indicator) -> None:
    """Freeze one replica's counters, on which the failures are."""
    frozen = max(history.pods, key=lambda member: member.stop - max(member.start, history.change))
    frozen.freezes = history.change
    for member in history.pods:
        if member is not frozen:
            member.failing[:] = member.failing * 0.1


def _outage_in_front(history: History, _indicator: Indicator) -> None:
    """Fail all that is asked from the change on, before it reaches a pod."""
    begin = TICKS - int(history.rng.integers(2 * HOUR, 8 * HOUR))
    history.bad[begin:] += history.good[begin:]
    history.good[begin:] = 0
    history.unserved[begin:] = True


def _reduced_scrapes(history: History, _indicator: Indicator) -> None:
    for member in history.pods:
        keep = np.zeros(TICKS, dtype=bool)
        keep[::2] = True
        member.seen[history.change :] &= keep[history.change :]


def _skewed(history: History, _indicator: Indicator) -> None:
    history.offset = 110.0


def _moved(history: History, _indicator: Indicator) -> None:
    """Leave the old pods standing without traffic; new ones count under another name."""
    tick = history.change
    old = [member for member in history.pods if member.start < tick < member.stop]
    others = [member for member in history.pods if member.start >= tick]
    page = _suffixed("_v2")(_page(history.pods[0]))
    for member in history.pods:
        member.share[tick:] = 0
        member.failing[tick:] = 0
    history.pods = [member for member in history.pods if member not in others]
    for member in old:
        member.stop = TICKS
    history.pods.append(pod({"pod": "chat-next"}, page, tick))


def _rule_stopped(history: History, indicator: Indicator) -> None:
    relabelled(history, _without_failures(indicator))


def _job(history: History, _indicator: Indicator) -> None:
    relabelled(history, each(lambda c: replace(c, labels={**c.labels, "job": "chat-v2"})))


def _resets_often(history: History, _indicator: Indicator) -> None:
    """Restart in place every ten minutes while it fails."""
    begin = history.change
    for member in history.pods:
        ticks = range(max(begin, member.start + 1), min(begin + 3 * HOUR, member.stop - 1), 5)
        member.crashes = [*member.crashes, *ticks]


def _via_upgrade(change: Callable[[Indicator], Change]) -> Callable[[History, Indicator], None]:
    return lambda history, indicator: upgraded(history, change(indicator))


def _live(change: Callable[[Indicator], Change]) -> Callable[[History, Indicator], None]:
    return lambda history, indicator: relabelled(history, change(indicator))


MUTATIONS: Final = (
    Mutation(
        name="every metric renamed",
        where="An exporter's major release gives all its metrics another prefix or suffix.",
        apply=_via_upgrade(lambda _indicator: _suffixed("_v2")),
    ),
    Mutation(
        name="the bad metric renamed",
        where="A release renames errors_total to failures_total, and nothing else.",
        apply=_via_upgrade(lambda indicator: _bad_name(indicator, "_failures_count_total")),
        when=Failing.AFTER,
        fits=_by_metric,
    ),
    Mutation(
        name="the bad metric renamed in place",
        where="A relabelling rule of the scrape gives the metric another name; nothing restarts.",
        apply=_live(lambda indicator: _bad_name(indicator, "_failures_count_total")),
        when=Failing.AFTER,
        fits=_by_metric,
    ),
    Mutation(
        name="the status label renamed",
        where="OpenTelemetry's semantic conventions renamed http.status_code.",
        apply=_via_upgrade(lambda indicator: _label(indicator.status, "result")),
        when=Failing.AFTER,
        fits=_by_status,
    ),
    Mutation(
        name="the status label renamed in place",
        where="A relabelling rule of the scrape renames it; nothing restarts.",
        apply=_live(lambda indicator: _label(indicator.status, "result")),
        when=Failing.AFTER,
        fits=_by_status,
    ),
    Mutation(
        name="status values respelled",
        where="A framework writes ok and failure where it wrote success and error.",
        apply=_via_upgrade(lambda indicator: _value(indicator.status, _FAILURE)),
        when=Failing.AFTER,
        fits=_by_status,
    ),
    Mutation(
        name="the bad value respelled",
        where="A service begins to name its failures otherwise, and its successes as before.",
        apply=_via_upgrade(lambda indicator: _value(indicator.status, _ONLY_BAD)),
        when=Failing.AFTER,
        fits=_by_status,
    ),
    Mutation(
        name="the status label dropped",
        where="A label is dropped to save series, and the series that it separated are added up.",
        apply=_via_upgrade(lambda indicator: _without_label(indicator.status)),
        when=Failing.AFTER,
        fits=_by_status,
    ),
    Mutation(
        name="failures no longer exported",
        where="A reduced metrics configuration (LiteLLM's prometheus_metrics_config) leaves the"
        " failed requests out, from a restart on.",
        apply=_via_upgrade(_without_failures),
        when=Failing.AFTER,
        fits=_tells_bad,
    ),
    Mutation(
        name="failures dropped by the scrape",
        where="metric_relabel_configs drop the failed series of a process that goes on.",
        apply=_live(_without_failures),
        when=Failing.AFTER,
        fits=_tells_bad,
    ),
    Mutation(
        name="the rule of the bad events stopped",
        where="A rule group fails to evaluate, while that of the total goes on.",
        apply=_rule_stopped,
        when=Failing.AFTER,
        fits=lambda indicator: not _by_process(indicator),
    ),
    Mutation(
        name="a preset's metric renamed",
        where="vLLM gave its time between tokens another name, and the preset knows both.",
        apply=_via_upgrade(lambda _indicator: each(_next_family)),
        kind=Kind.HARMLESS,
        fits=lambda indicator: indicator.name == "a preset of two families",
    ),
    Mutation(
        name="the job renamed",
        where="A ServiceMonitor is renamed: the same process goes on under another job.",
        apply=_job,
        kind=Kind.HARMLESS,
        fits=_by_process,
    ),
    Mutation(
        name="a label added",
        where="External labels or a relabelling rule add the region to every series.",
        apply=_live(lambda _indicator: each(_with_region)),
        kind=Kind.HARMLESS,
    ),
    Mutation(
        name="restarts while it fails",
        where="A process that fails is restarted by its liveness probe every ten minutes.",
        apply=_resets_often,
        when=Failing.SHORTLY,
        fits=_by_process,
    ),
    Mutation(
        name="a crash loop",
        where="A bad image: each pod fails what it gets and dies after two or four minutes.",
        apply=_crash_loop,
        when=Failing.SHORTLY,
        fits=_by_process,
    ),
    Mutation(
        name="failures before the first scrape",
        where="Pods of an hour whose cold start fails the first requests.",
        apply=_short_pods,
        when=Failing.STEADILY,
        fits=_by_process,
    ),
    Mutation(
        name="a gap",
        where="The network to Prometheus is away for three hours; the processes go on.",
        apply=_gap,
        when=Failing.SHORTLY,
        kind=Kind.HARMLESS,
        pods_stay=True,
        fits=_by_process,
    ),
    Mutation(
        name="a gap in what is recorded",
        where="Prometheus is down for three hours, in which its rules record nothing.",
        apply=_gap,
        when=Failing.SHORTLY,
        fits=lambda indicator: not _by_process(indicator),
    ),
    Mutation(
        name="a gap with a restart",
        where="A node is replaced: for three hours nothing is scraped, and counters begin anew.",
        apply=_gap_with_restart,
        when=Failing.SHORTLY,
        fits=_by_process,
    ),
    Mutation(
        name="scraped from late on",
        where="A target is added to the monitoring days after its process started.",
        apply=_born_late,
    ),
    Mutation(
        name="a bad counter born above zero",
        where="A labelled counter does not exist before its first failure, and the first scrape of"
        " an outage shows thousands.",
        apply=_born_high,
        when=Failing.AT_ONCE,
        fits=lambda indicator: _by_process(indicator) and _tells_bad(indicator),
    ),
    Mutation(
        name="every target twice",
        where="Two scrape jobs find the same pods.",
        apply=_twins,
        kind=Kind.HARMLESS,
        fits=_by_process,
    ),
    Mutation(
        name="a stuck replica",
        where="A multiprocess exporter no longer reads the files of one worker, whose counters"
        " stand still.",
        apply=_stuck,
        kind=Kind.TRACELESS,
        when=Failing.AFTER,
        fits=_by_process,
    ),
    Mutation(
        name="other buckets",
        where="A release changes the histogram's boundaries; the threshold is none of them.",
        apply=_via_upgrade(lambda _indicator: _other_buckets),
        fits=_by_buckets,
    ),
    Mutation(
        name="le respelled",
        where='Prometheus 3 writes le="2.0" where 2.x wrote le="2".',
        apply=_live(lambda _indicator: _le({"2": "2.0", "8": "8.0"})),
        fits=_by_buckets,
    ),
    Mutation(
        name="sampling",
        where="Metrics are made of spans, of which a tenth is kept from a release on.",
        apply=_via_upgrade(lambda _indicator: each(_sampled)),
        when=Failing.AFTER,
    ),
    Mutation(
        name="scraped half as often",
        where="scrape_interval is doubled to save storage.",
        apply=_reduced_scrapes,
        kind=Kind.HARMLESS,
    ),
    Mutation(
        name="a clock two minutes slow",
        where="Samples are stamped by a node whose clock is slow by two minutes.",
        apply=_skewed,
        kind=Kind.HARMLESS,
    ),
    Mutation(
        name="an outage in front",
        where="The load balancer, DNS or a certificate fails: no request reaches a pod.",
        apply=_outage_in_front,
        is_outage=True,
    ),
    Mutation(
        name="traffic moved to another metric",
        where="A new version with new metrics takes all traffic; the old pods stand idle.",
        apply=_moved,
        when=Failing.AFTER,
        fits=_by_process,
    ),
)


def fitting(mutation: Mutation, indicators: Iterable[Indicator]) -> list[Indicator]:
    """Return the indicators that a mutation can happen to."""
    return [indicator for indicator in indicators if mutation.fits(indicator)]


def window_part(rng: np.random.Generator) -> int:
    """Return a tick in the middle four fifths of the window."""
    length = TICKS - FIRST
    return FIRST + int(rng.integers(length // 10, length * 9 // 10))
