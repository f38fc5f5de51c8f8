"""Metrics that change their names in the window, on real servers: each counts for its part."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Cause, CountRequest, Counts, Unmeasured
from gate.measure.capabilities import cohorts_of, history_of
from gate.measure.cohorts import CohortRequest, Cohorts
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Bucket, Histogram, Sli, Slices
from gate.slo.objective import Span
from tests.live.asking import LIMITS, measure
from tests.presets.pages import END, EVERY_MINUTE, MINUTES, lines
from tests.servers.metrics import backfill, prometheus, victoria
from tests.servers.proxy import counting_proxy

LAST = EVERY_MINUTE[-1]
FIRST = LAST - MINUTES
"""The minute at which the window begins."""
CHANGE, LATER = FIRST + 122, FIRST + 243
ALL, BEFORE, AFTER = EVERY_MINUTE, range(CHANGE + 1), range(CHANGE + 1, LAST + 1)
UNTIL_LATER, SINCE_LATER = range(LATER + 1), range(LATER + 1, LAST + 1)
GOOD, BAD = 90, 10
"""The counts of each process in a minute."""

Exports = tuple[str, str, range]
"""A process, the name that it exports, and in which minutes."""
CASES: Mapping[str, tuple[Exports, ...]] = {
    "upgrade": (("a", "old", BEFORE), ("a", "new", AFTER)),
    "rollback": (("a", "new", BEFORE), ("a", "old", AFTER)),
    "other-pod": (("a", "old", BEFORE), ("b", "new", AFTER)),
    "three-names": (
        ("a", "oldest", BEFORE),
        ("a", "old", range(CHANGE + 1, LATER + 1)),
        ("a", "new", SINCE_LATER),
    ),
    "there-and-back": (
        ("a", "old", BEFORE),
        ("b", "new", range(CHANGE + 1, LATER + 1)),
        ("c", "old", SINCE_LATER),
    ),
    "alias": (("a", "old", ALL), ("a", "new", ALL)),
    "alias-added": (("a", "old", ALL), ("a", "new", AFTER)),
    "alias-removed": (("a", "old", BEFORE), ("a", "new", ALL)),
    "alias-between": (("a", "old", UNTIL_LATER), ("a", "new", AFTER)),
    "mixed-fleet": (("a", "old", ALL), ("b", "new", ALL)),
    "mixed-with-alias": (("a", "old", ALL), ("b", "old", ALL), ("b", "new", ALL)),
    "rolling": (
        ("a", "old", BEFORE),
        ("a", "new", AFTER),
        ("b", "old", UNTIL_LATER),
        ("b", "new", SINCE_LATER),
        ("c", "old", ALL),
    ),
    "only-old": (("a", "old", ALL),),
    "only-new": (("a", "new", ALL),),
    "colon": (("a", "engine_new", BEFORE), ("a", "engine:new", AFTER)),
    "stored-with-underscore": (("a", "engine_new", ALL),),
}


def minutes_of(case: str) -> int:
    """Return the minutes of the window in which a process served, added up over processes."""
    served = dict[str, set[int]]()
    for process, _, minutes in CASES[case]:
        # A counter tells what happened since the scrape before; the first scrape tells nothing.
        served.setdefault(process, set()).update(minutes[1:])
    return sum(len([m for m in each if m > FIRST]) for each in served.values())


def write_text(path: Path) -> None:
    """Write what each process of each case exports: a counter, and a histogram."""
    with path.open("w", encoding="utf-8") as file:
        for case, exports in CASES.items():
            for process, name, minutes in exports:
                labels = {"job": case, "instance": process}
                for code, amount in {"200": GOOD, "500": BAD}.items():
                    each = {**labels, "code": code}
                    file.writelines(lines(f"{name}_requests_total", each, amount, minutes))
                le = "1" if name == "old" else "1.0"
                other = "2.5" if name == "old" else "2"
                buckets = {le: GOOD, other: GOOD + 4, "+Inf": GOOD + BAD}
                for bound, amount in buckets.items():
                    each = {**labels, "le": bound}
                    file.writelines(lines(f"{name}_seconds_bucket", each, amount, minutes))
                file.writelines(lines(f"{name}_seconds_count", labels, GOOD + BAD, minutes))
                file.writelines(lines(f"{name}_seconds_sum", labels, 70, minutes))
        for name, minutes, down in (("old", BEFORE, CHANGE - 30), ("new", AFTER, LAST - 60)):
            for up, when in {
                1: range(minutes[0], down + 1),
                0: range(down + 1, minutes[-1] + 1),
            }.items():
                file.writelines(constant(f"gauge_{name}", {"job": "gauge"}, up, when))
        for le, minutes in {"1": BEFORE, "1.0": AFTER}.items():
            file.writelines(lines("le_seconds_bucket", {"le": le}, GOOD, minutes))
        file.writelines(lines("le_seconds_bucket", {"le": "+Inf"}, GOOD + BAD))
        file.writelines(lines("le_seconds_count", {}, GOOD + BAD))
        file.write("# EOF\n")


def constant(name: str, labels: Mapping[str, str], value: float, minutes: range) -> Iterator[str]:
    """Yield the samples of a gauge."""
    for line in lines(name, labels, 0, minutes):
        series, _, time = line.rsplit(" ", 2)
        yield f"{series} {value} {time}"


@pytest.fixture(
    scope="module", params=["prometheus", pytest.param("victoria", marks=pytest.mark.slow)]
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    write_text(folder / "names.om")
    if request.param == "victoria":
        with victoria(folder, folder / "names.om") as server:
            yield server.url
        return
    backfill(folder / "names.om", folder / "blocks")
    with prometheus(folder, folder / "blocks") as server:
        yield server.url


def names(case: str) -> tuple[str, ...]:
    """Return the names that the indicator has, the newest first."""
    return ("engine:new",) if "engine" in str(CASES[case]) else ("new", "old", "oldest")


def errors(case: str) -> Sli:
    each = [
        Sli(
            bad=f'{name}_requests_total{{job="{case}",code="500"}}',
            total=f'{name}_requests_total{{job="{case}"}}',
        )
        for name in names(case)
    ]
    first, *older = each
    return Sli(bad=first.bad, total=first.total, older=tuple(older))


def latency(case: str, threshold: str, bucket: Bucket = Bucket.EXACT) -> Sli:
    each = [
        Histogram(
            good=f'{name}_seconds{{job="{case}"}}',
            total=f'{name}_seconds{{job="{case}"}}',
            threshold=Fraction(threshold),
            unit="s",
            bucket=bucket,
        )
        for name in names(case)
    ]
    first, *older = each
    return Sli(histogram=first, older=tuple(Sli(histogram=other) for other in older))


SPAN = Span(END - timedelta(minutes=MINUTES), END)


def counted(url: str, sli: Sli, **more: object) -> Counts:
    request = CountRequest(sli=sli, span=SPAN, probe=True, **more)  # type: ignore[arg-type]
    (answer,) = measure(url, [request], END)
    assert isinstance(answer, Counts), answer
    return answer


NEAR = 0.012
"""At a change two minutes of six hours are between scrapes, and a server extrapolates or not."""


@pytest.mark.variants(5)
@pytest.mark.parametrize("case", CASES)
def test_each_name_counts_for_its_part_and_no_event_twice(url: str, case: str) -> None:
    found = counted(url, errors(case))

    minutes = minutes_of(case)
    assert float(found.total) == pytest.approx(minutes * (GOOD + BAD), rel=NEAR)
    assert float(found.bad) == pytest.approx(minutes * BAD, rel=NEAR)
    assert found.evidence.coverage == 1
    assert found.evidence.newest == END


@pytest.mark.parametrize("case", CASES)
def test_a_histogram_counts_under_each_of_its_names(url: str, case: str) -> None:
    found = counted(url, latency(case, "1"))

    minutes = minutes_of(case)
    assert float(found.total) == pytest.approx(minutes * (GOOD + BAD), rel=NEAR)
    assert float(found.bad) == pytest.approx(minutes * BAD, rel=NEAR)


def changes(answer: Counts) -> list[str]:
    return [note for note in answer.evidence.notes if "name" in note]


def test_a_note_says_since_when_a_name_counts(url: str) -> None:
    (note,) = changes(counted(url, errors("three-names")))

    seen = [END - timedelta(minutes=LAST - minute) for minute in (CHANGE + 1, LATER + 1)]
    old, new = [f"{first:%Y-%m-%d %H:%M} UTC" for first in seen]
    assert note == (
        "counted under 3 names, each for its part: oldest_requests_total at first,"
        f" old_requests_total since {old}, new_requests_total since {new}"
    )


@pytest.mark.parametrize("case", ["alias", "only-new"])
def test_no_note_says_what_is_as_expected(url: str, case: str) -> None:
    assert changes(counted(url, errors(case))) == []


@pytest.mark.parametrize(
    ("case", "name"),
    [("only-old", "old_requests_total"), ("stored-with-underscore", "engine_new_requests_total")],
)
def test_a_note_names_what_is_counted_instead_of_the_newest(url: str, case: str, name: str) -> None:
    assert changes(counted(url, errors(case))) == [f"counted under another name: {name}"]


@pytest.mark.parametrize("case", ["upgrade", "rollback", "mixed-fleet"])
@pytest.mark.parametrize(("bucket", "slow"), [(Bucket.STRICTER, BAD), (Bucket.LAXER, BAD - 4)])
def test_each_name_has_boundaries_of_its_own(
    url: str, case: str, bucket: Bucket, slow: int
) -> None:
    # 1.5 is not a boundary of either: the next ones are 1 and 2, or 2.5.
    found = counted(url, latency(case, "1.5", bucket))

    assert float(found.bad) == pytest.approx(minutes_of(case) * slow, rel=NEAR)


def test_a_boundary_that_is_written_anew_is_the_same(url: str) -> None:
    histogram = Histogram(good="le_seconds", total="le_seconds", threshold=Fraction(1), unit="s")
    found = counted(url, Sli(histogram=histogram))

    # Of the minute between the last scrape of the one and the first of the other nothing is known.
    assert float(found.bad) == pytest.approx(MINUTES * BAD, abs=GOOD * 1.01)


STEP = timedelta(minutes=5)
PARTIAL = 2.2 * (GOOD + BAD) * 5
"""The part of a step that may be missing when a process changes its name, at three changes."""


@pytest.mark.parametrize("case", CASES)
def test_a_history_counts_each_name_where_it_is(url: str, case: str) -> None:
    history = history_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert history is not None
    requests = [
        SeriesRequest(sli=sli, span=SPAN, step=STEP) for sli in (errors(case), latency(case, "1"))
    ]

    for found in history.history(requests):
        assert isinstance(found, Series), found
        total = sum(filter(None, found.total))
        minutes = minutes_of(case)
        assert total == pytest.approx(minutes * (GOOD + BAD), abs=PARTIAL)
        assert sum(filter(None, found.bad)) == pytest.approx(total / 10)
        # No step has an event twice.
        processes = len({process for process, _, _ in CASES[case]})
        assert max(filter(None, found.total)) <= 5 * processes * (GOOD + BAD) * 1.001


@pytest.mark.parametrize("case", CASES)
def test_groups_are_counted_under_each_of_their_names(url: str, case: str) -> None:
    teller = cohorts_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert teller is not None
    request = CohortRequest(sli=errors(case), span=SPAN, step=STEP, by=("instance",), most=9)

    (found,) = teller.cohorts([request])

    assert isinstance(found, Cohorts), found
    assert {group for (group,) in found.groups} == {process for process, _, _ in CASES[case]}
    total = sum(sum(filter(None, group.total)) for group in found.groups.values())
    assert total == pytest.approx(minutes_of(case) * (GOOD + BAD), abs=PARTIAL)


@pytest.mark.variants(5)
@pytest.mark.parametrize("case", CASES)
def test_timeslices_look_at_every_name(url: str, case: str) -> None:
    # One request in ten fails, which is too many for 95% and not for 80%.
    for target, bad in ((Fraction("0.95"), MINUTES // 5), (Fraction("0.8"), 0)):
        found = counted(url, errors(case), slices=Slices(length=STEP, target=target))
        assert found.total == pytest.approx(MINUTES // 5, abs=2)
        assert found.bad == pytest.approx(bad, abs=2)


@pytest.mark.parametrize("case", ["upgrade", "mixed-fleet", "alias-added", "rolling"])
def test_a_short_window_counts_by_the_names_of_the_long_one(url: str, case: str) -> None:
    sli = errors(case)
    short = Span(END - timedelta(minutes=30), END)
    asked = [
        CountRequest(sli=sli, span=SPAN, probe=True),
        CountRequest(sli=sli, span=short),
    ]

    _, found = measure(url, asked, END)

    assert isinstance(found, Counts), found
    now = len({process for process, _, minutes in CASES[case] if LAST in minutes})
    assert float(found.total) == pytest.approx(30 * now * (GOOD + BAD), rel=0.01)


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("case", "trips"),
    [
        *[("only-new", 1), ("only-old", 1), ("alias", 1), ("mixed-fleet", 1), ("other-pod", 1)],
        # Some processes export both, others one: what only the older name counts is asked then.
        *[("mixed-with-alias", 2), ("alias-added", 2)],
    ],
)
def test_names_take_a_second_round_trip_only_where_they_overlap_in_part(
    url: str, case: str, trips: int
) -> None:
    with counting_proxy(url, 0.2) as proxy:
        counted(proxy.url, errors(case))
        assert proxy.traffic.round_trips == trips
    with counting_proxy(url, 0.2) as proxy:
        counted(proxy.url, latency(case, "1"))
        assert proxy.traffic.round_trips == trips


def test_a_gauge_is_the_newest_that_is_there_at_an_instant(url: str) -> None:
    names = [f'max(gauge_{name}{{job="gauge"}})' for name in ("new", "old")]
    found = counted(
        url,
        Sli(gauge=names[0], older=(Sli(gauge=names[1]),)),
        slices=Slices(length=STEP, target=Fraction(1)),
    )

    # The old one is down in its last half hour, the new one in its last hour.
    assert (found.bad, found.total) == pytest.approx((6 + 12, MINUTES // 5), abs=1)


def test_a_name_of_which_nothing_is_good_is_not_added(url: str) -> None:
    first, older = errors("upgrade"), 'old_requests_total{job="upgrade"}'
    good = Sli(
        good='new_requests_total{job="upgrade",code="200"}',
        total=first.total,
        older=(Sli(good='old_requests_total{job="upgrade",code="ok"}', total=older),),
    )

    (answer,) = measure(url, [CountRequest(sli=good, span=SPAN, probe=True)], END)

    assert isinstance(answer, Unmeasured), answer
    assert answer.reason.startswith(f"{older}: good: nothing came back, though total counts ")
    assert answer.cause is Cause.NO_DATA


def test_ways_that_differ_in_their_parts_are_never_added_up(url: str) -> None:
    # Only the second is there, and it counts what is good.
    sli = Sli(
        bad="nothing_of_the_kind",
        total="nothing_of_the_kind",
        older=(
            Sli(
                good='old_requests_total{job="only-old",code="200"}',
                total='old_requests_total{job="only-old"}',
            ),
        ),
    )
    found = counted(url, sli)

    assert float(found.bad) == pytest.approx(MINUTES * BAD)
    assert changes(found) == ["counted under another name: old_requests_total"]
