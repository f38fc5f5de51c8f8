"""Histograms whose boundaries are not what the policy thinks, on real servers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.slo.indicator import Bucket, Histogram, Sli
from gate.slo.objective import RollingWindow
from tests.live.asking import measure
from tests.presets.exposition import Page, as_go, as_python
from tests.presets.pages import END, EVERY_MINUTE, MINUTES, lines
from tests.servers.metrics import backfill, prometheus, victoria

# A minute of requests: how many took how long.
TIMES = {0.7: 50, 1.9: 20, 3.0: 15, 9.0: 10, 70.0: 5}
TOTAL = sum(TIMES.values())
BOUNDARIES = (1, 2.5, 5, 10)
HALFWAY = range(EVERY_MINUTE[-1] - 90, EVERY_MINUTE[-1] + 1)
ENDED = range(EVERY_MINUTE[-1] - 120)


def slower_than(seconds: float) -> int:
    return sum(count for time, count in TIMES.items() if time > seconds)


def histogram(
    name: str,
    boundaries: tuple[float, ...] = BOUNDARIES,
    write: Callable[[float], str] = as_python,
    added: Mapping[float, range] | None = None,
    minutes: range = EVERY_MINUTE,
    **labels: str,
) -> Iterator[str]:
    """Yield a histogram's samples; ``added`` boundaries are scraped in some minutes only."""
    page = Page(format=write, common=labels)
    for time, count in TIMES.items():
        page.observe(name, time, (*boundaries, *(added or {})), times=count)
    when = {write(boundary): scraped for boundary, scraped in (added or {}).items()}
    for (series, pairs), amount in page.samples.items():
        yield from lines(series, dict(pairs), amount, when.get(dict(pairs).get("le", ""), minutes))


def write_text(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for write in (
            histogram("ttft_seconds", job="alike", pod="a"),
            histogram("ttft_seconds", job="alike", pod="b"),
            histogram("ttft_seconds", (*BOUNDARIES, 2), job="rollout", pod="a"),
            histogram("ttft_seconds", job="rollout", pod="b"),
            histogram("ttft_seconds", added={2: HALFWAY}, job="added", pod="a"),
            histogram("ttft_seconds", job="spelling", pod="a"),
            histogram("ttft_seconds", write=as_go, job="spelling", pod="b"),
            histogram("ttft_seconds", (0.1 + 0.2, 1, 100), job="computed"),
            histogram("ttft_seconds", minutes=ENDED, job="ended"),
            histogram("old_seconds", job="old"),
            histogram("old_seconds", job="both"),
            histogram("ttft_seconds", job="both"),
            lines("ttft_seconds_bucket", {"job": "ranges", "vmrange": "1.0e0...1.1e0"}, 3),
            lines("new_total", {"job": "both"}, 7),
            lines("old_total", {"job": "both"}, 7),
            lines("new_errors_total", {"job": "both"}, 2),
            lines("old_errors_total", {"job": "both"}, 2),
            lines("old_total", {"job": "old"}, 5),
            lines("old_errors_total", {"job": "old"}, 1),
        ):
            file.writelines(write)
        file.write("# EOF\n")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("histograms") / "histograms.om"
    write_text(path)
    return path


@pytest.fixture(
    scope="module", params=["prometheus", pytest.param("victoria", marks=pytest.mark.slow)]
)
def url(
    request: pytest.FixtureRequest, text: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "victoria":
        with victoria(folder, text) as server:
            yield server.url
        return
    backfill(text, folder / "blocks")
    with prometheus(folder, folder / "blocks") as server:
        yield server.url


def sli(
    job: str,
    threshold: str,
    bucket: Bucket = Bucket.EXACT,
    name: str = "ttft_seconds",
    older: tuple[Sli, ...] = (),
) -> Sli:
    selector = f'{name}{{job="{job}"}}'
    asked = Histogram(
        good=selector, total=selector, threshold=Fraction(threshold), unit="s", bucket=bucket
    )
    return Sli(histogram=asked, older=older)


def answer(url: str, sli: Sli) -> Answer:
    span = RollingWindow(timedelta(minutes=MINUTES)).counted(END)
    (found,) = measure(url, [CountRequest(sli=sli, span=span, probe=True)], END)
    return found


def counted(url: str, sli: Sli) -> tuple[Counts, float, float]:
    """Return the counts, and bad and total of a minute."""
    found = answer(url, sli)
    assert isinstance(found, Counts), found
    return found, float(found.bad / MINUTES), float(found.total / MINUTES)


def refused(url: str, sli: Sli) -> Unmeasured:
    found = answer(url, sli)
    assert isinstance(found, Unmeasured), found
    return found


@pytest.mark.variants(3)
@pytest.mark.parametrize("threshold", [1, 2.5, 5, 10])
def test_a_boundary_counts_what_took_no_longer(url: str, threshold: float) -> None:
    found, bad, total = counted(url, sli("alike", str(threshold)))

    assert (bad, total) == pytest.approx((2 * slower_than(threshold), 2 * TOTAL))
    assert found.evidence.notes == ()


def test_a_threshold_between_boundaries_names_the_nearest_two(url: str) -> None:
    found = refused(url, sli("alike", "2"))

    assert found.cause is Cause.INVALID
    assert found.reason == (
        "2s is not a boundary of this histogram: the next stricter is 1s, the next laxer is 2.5s;"
        " give another threshold, or bucket: stricter, laxer or interpolate"
    )


@pytest.mark.parametrize(
    ("bucket", "bad", "note"),
    [
        (Bucket.STRICTER, slower_than(1), "counted up to the next stricter one, 1s"),
        (Bucket.LAXER, slower_than(2.5), "counted up to the next laxer one, 2.5s"),
        # Two thirds of the way from 1 s to 2.5 s, where 20 requests lie.
        (Bucket.INTERPOLATE, slower_than(1) - 20 * 2 / 3, "interpolated between 1s and 2.5s"),
    ],
)
def test_a_policy_may_choose_what_means_it(url: str, bucket: Bucket, bad: float, note: str) -> None:
    found, counted_bad, total = counted(url, sli("alike", "2", bucket))

    assert (counted_bad, total) == pytest.approx((2 * bad, 2 * TOTAL))
    assert found.evidence.notes == (f"2s is not a boundary of this histogram; {note}",)


def test_below_the_first_boundary_is_interpolated_from_zero(url: str) -> None:
    found, bad, _ = counted(url, sli("alike", "0.5", Bucket.INTERPOLATE))

    assert bad == pytest.approx(2 * (TOTAL - 50 / 2))
    assert "between 0s and 1s" in found.evidence.notes[0]


@pytest.mark.parametrize(
    ("threshold", "bucket", "near"),
    [
        ("0.5", Bucket.STRICTER, "the next laxer is 1s"),
        ("20", Bucket.LAXER, "the next stricter is 10s"),
        ("20", Bucket.INTERPOLATE, "the next stricter is 10s"),
    ],
)
def test_where_nothing_lies_beyond_there_is_no_count(
    url: str, threshold: str, bucket: Bucket, near: str
) -> None:
    assert (
        f"is not a boundary of this histogram: {near};"
        in refused(url, sli("alike", threshold, bucket)).reason
    )


def test_a_boundary_that_some_replicas_lack_is_noticed(url: str) -> None:
    found = refused(url, sli("rollout", "2"))

    assert found.cause is Cause.INVALID
    assert "1 of 2 histograms have a boundary at 2s" in found.reason


def test_only_a_boundary_that_all_replicas_have_means_another(url: str) -> None:
    found, bad, total = counted(url, sli("rollout", "2.2", Bucket.STRICTER))

    assert (bad, total) == pytest.approx((2 * slower_than(1), 2 * TOTAL))
    assert "the next stricter one, 1s" in found.evidence.notes[0]


def test_a_boundary_that_was_added_within_the_window_is_not_a_measure_of_all_of_it(
    url: str,
) -> None:
    found = refused(url, sli("added", "2"))

    assert found.cause is Cause.INVALID
    assert "1 histograms had no such boundary in a part of the window" in found.reason


def test_a_boundary_is_a_number_however_it_is_written(url: str) -> None:
    _, bad, total = counted(url, sli("spelling", "10"))

    assert (bad, total) == pytest.approx((2 * slower_than(10), 2 * TOTAL))


def test_a_boundary_that_a_program_computed_is_met_by_its_decimal(url: str) -> None:
    _, bad, total = counted(url, sli("computed", "0.3"))

    assert (bad, total) == pytest.approx((TOTAL, TOTAL))


@pytest.mark.parametrize("job", ["ended", "nowhere"])
def test_a_histogram_that_is_not_there_is_no_data(url: str, job: str) -> None:
    found = refused(url, sli(job, "1"))

    assert found.cause is Cause.NO_DATA
    assert "no such histogram in the last hour, neither classic nor native" in found.reason


def test_buckets_without_le_are_not_mistaken_for_anything(url: str) -> None:
    found = refused(url, sli("ranges", "1"))

    assert found.cause is Cause.INVALID
    assert "histograms by vmrange cannot be read" in found.reason


def test_an_older_name_is_counted_where_the_new_one_is_not_there(url: str) -> None:
    found, bad, total = counted(url, sli("old", "5", older=(sli("old", "5", name="old_seconds"),)))

    assert (bad, total) == pytest.approx((slower_than(5), TOTAL))
    assert found.evidence.notes == ("counted under another name: old_seconds",)


def test_two_names_of_one_histogram_are_never_added_up(url: str) -> None:
    found, bad, total = counted(
        url, sli("both", "5", older=(sli("both", "5", name="old_seconds"),))
    )

    assert (bad, total) == pytest.approx((slower_than(5), TOTAL))
    assert found.evidence.notes == ()


def errors(job: str, age: str) -> Sli:
    return Sli(bad=f'{age}_errors_total{{job="{job}"}}', total=f'{age}_total{{job="{job}"}}')


@pytest.mark.parametrize(("job", "minute"), [("both", (2, 7)), ("old", (1, 5))])
def test_two_names_of_one_counter_are_never_added_up(
    url: str, job: str, minute: tuple[int, int]
) -> None:
    asked = replace(errors(job, "new"), older=(errors(job, "old"),))
    _, bad, total = counted(url, asked)

    assert (bad, total) == pytest.approx(minute)


def test_a_counter_under_none_of_its_names_is_no_data(url: str) -> None:
    asked = replace(errors("nowhere", "new"), older=(errors("nowhere", "old"),))

    assert refused(url, asked).cause is Cause.NO_DATA
