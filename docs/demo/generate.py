"""Write a month of believable request logs and judge scores: python docs/demo/generate.py OUT_DIR.

OUT_DIR/logs and OUT_DIR/judge get one JSON-lines file a day, October 2026 (UTC), and OUT_DIR/logs
gets truth.json: what is in them, counted while writing. A judge scores a sample of the answers; a
score under 0.5 is a hallucination. The same bytes on every machine: the only source of chance is
random(), whose sequence Python promises to keep
(https://docs.python.org/3/library/random.html#notes-on-reproducibility), and only + - * / touch its
numbers, since exp() and log() differ between C libraries.
"""

import argparse
import json
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED = 20261001
FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 31
PER_DAY = 9_600
"""Requests on a day of weight 1."""

# Share of the mean, at each full hour; between them a straight line. Europe's office hours.
BY_HOUR = (
    *(0.34, 0.28, 0.25, 0.24, 0.27, 0.38, 0.62, 0.98, 1.38, 1.62, 1.70, 1.66),
    *(1.52, 1.60, 1.74, 1.70, 1.56, 1.34, 1.16, 1.04, 0.92, 0.78, 0.60, 0.46),
)
BY_WEEKDAY = (1.08, 1.12, 1.14, 1.12, 1.04, 0.66, 0.62)  # Monday first

# (share of requests up to here, value there); a straight line between two points.
Curve = tuple[tuple[float, float], ...]
FIRST_TOKEN_MS: Curve = (
    *((0.0, 90), (0.25, 260), (0.5, 410), (0.75, 640), (0.9, 1000)),
    *((0.97, 1600), (0.985, 1950), (0.995, 2900), (1.0, 7000)),
)
FIRST_TOKEN_SLOW_MS: Curve = ((0.0, 400), (0.35, 1500), (0.5, 2050), (0.9, 5200), (1.0, 12000))
TOKENS_IN: Curve = ((0.0, 40), (0.4, 380), (0.8, 1400), (0.97, 5200), (1.0, 16000))
TOKENS_OUT: Curve = ((0.0, 8), (0.5, 180), (0.9, 620), (1.0, 1800))


@dataclass(frozen=True)
class Model:
    """A model and its prices in micro-dollars per 1,000 tokens."""

    name: str
    price_in: int
    price_out: int
    ms_per_token: float
    slowness: float


MODELS = (
    Model("llama-3.3-70b", 600, 800, 18.0, 1.0),
    Model("gpt-4.1-mini", 400, 1600, 11.0, 0.85),
    Model("mistral-small-3", 100, 300, 8.0, 0.7),
)
MODEL_SHARES = (0.58, 0.88)
ROUTES = ("/chat", "/rag", "/agent")
ROUTE_SHARES = (0.55, 0.9)


@dataclass(frozen=True)
class Episode:
    """A stretch of time in which something was wrong; the start belongs to it, the end does not."""

    name: str
    start: datetime
    end: datetime

    def now(self, moment: datetime) -> bool:
        """Return whether it is going on."""
        return self.start <= moment < self.end


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


OUTAGE = Episode("outage at peak: the provider fails", _at(20, 14), _at(20, 14, 35))
BAD_PROMPT = Episode("bad prompt release: support-v8, rolled back", _at(21, 8), _at(23, 8))
SLOW = Episode("slow: half of the GPU pool is gone", _at(22, 12), _at(22, 16))
EPISODES = (OUTAGE, BAD_PROMPT, SLOW)
# The next prompt is tried on a quarter of the traffic for half an hour. Nobody watches it, so that
# the logs have what it did after `gate watch` would have taken it back, too.
CANARY = Episode("canary: support-v9", _at(27, 10, 30), _at(27, 11))
CANARY_FAILS = Episode("support-v9 times out", _at(27, 10, 36), CANARY.end)
CANARY_PROMPT, CANARY_SHARE, CANARY_FAILING = "support-v9", 0.25, 0.4
BEFORE = _at(19, 9)
AFTER = _at(23, 12)
WINDOW = timedelta(days=14)

FAILING, FAILING_IN_OUTAGE = 0.00016, 0.62
CALLERS_FAULT = 0.004
JUDGED = 0.045
HALLUCINATED, HALLUCINATED_V8 = 0.005, 0.17

COUNTED = ("rows", "errors", "answered", "slow", "judged", "hallucinated", "spent_micro_usd")


def on_curve(curve: Curve, share: float) -> float:
    """Return the value that this share of requests does not exceed."""
    place = bisect_right(curve, share, key=lambda point: point[0])
    (low, at_low), (high, at_high) = curve[place - 1], curve[min(place, len(curve) - 1)]
    return at_low if high == low else at_low + (at_high - at_low) * (share - low) / (high - low)


def rate(minute: datetime) -> float:
    """Return how many requests a minute come at this time."""
    low, high = BY_HOUR[minute.hour], BY_HOUR[(minute.hour + 1) % 24]
    hourly = low + (high - low) * minute.minute / 60
    return PER_DAY / 1440 * hourly * BY_WEEKDAY[minute.weekday()]


class Requests:
    """Makes requests, and counts what it makes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random
        # Of its own, so that all other requests are what they would be without a canary.
        self._canary = random.Random(seed + 1).random
        self._score = random.Random(seed + 2).random

    def of_minute(self, minute: datetime) -> Iterator[tuple[datetime, Counter[str], str, str]]:
        """Make the requests of one minute, in order: when, what to count, the line, the judge's."""
        number = int(rate(minute) * (0.7 + 0.6 * self._random()) + self._random())
        for millisecond in sorted(int(self._random() * 60_000) for _ in range(number)):
            moment = minute + timedelta(milliseconds=millisecond)
            yield moment, *self._request(moment)

    def _request(self, moment: datetime) -> tuple[Counter[str], str, str]:
        model = MODELS[bisect_right(MODEL_SHARES, self._random())]
        route = ROUTES[bisect_right(ROUTE_SHARES, self._random())]
        prompt = "support-v8" if BAD_PROMPT.now(moment) else "support-v7"
        status, tokens_in = self._status(moment), int(on_curve(TOKENS_IN, self._random()))
        if CANARY.now(moment) and self._canary() < CANARY_SHARE:
            prompt = CANARY_PROMPT
            fails = self._canary() < CANARY_FAILING
            if fails and status == 200 and CANARY_FAILS.now(moment):
                # What an answer would have drawn, so that the next request draws what it would.
                self._answer(moment, model, prompt, route, tokens_in)
                status = 504
        if status != 200:
            counts = Counter(rows=1, errors=int(status >= 500))
            line = _line(
                moment, model, prompt=prompt, route=route, status=status, tokens_in=tokens_in
            )
            return counts, line, ""
        return self._answer(moment, model, prompt, route, tokens_in)

    def _status(self, moment: datetime) -> int:
        draw, failing = self._random(), FAILING_IN_OUTAGE if OUTAGE.now(moment) else FAILING
        if draw < failing:
            return 503 if self._random() < 0.8 else 504
        return 429 if draw > 1 - CALLERS_FAULT else 200

    def _answer(
        self, moment: datetime, model: Model, prompt: str, route: str, tokens_in: int
    ) -> tuple[Counter[str], str, str]:
        curve = FIRST_TOKEN_SLOW_MS if SLOW.now(moment) else FIRST_TOKEN_MS
        first = int(on_curve(curve, self._random()) * model.slowness)
        tokens_out = int(on_curve(TOKENS_OUT, self._random()))
        cost = (tokens_in * model.price_in + tokens_out * model.price_out) // 1000
        verdict = self._judge(prompt)
        counts = Counter(
            rows=1,
            answered=1,
            slow=int(first > 2000),
            judged=int(verdict is not None),
            hallucinated=int(verdict is True),
            spent_micro_usd=cost,
        )
        latency = first + int(tokens_out * model.ms_per_token)
        line = _line(
            moment,
            model,
            prompt=prompt,
            route=route,
            status=200,
            tokens_in=tokens_in,
            answer=(first, latency, tokens_out, cost),
        )
        return counts, line, "" if verdict is None else self._scored(moment, model, prompt, verdict)

    def _scored(self, moment: datetime, model: Model, prompt: str, hallucinated: bool) -> str:
        score = int(self._score() * 500) + (0 if hallucinated else 500)
        return (
            f'{{"ts":"{_written(moment)}","model":"{model.name}","prompt_template":"{prompt}",'
            f'"score":0.{score:03d}}}\n'
        )

    def _judge(self, prompt: str) -> bool | None:
        judged, wrong = self._random() < JUDGED, self._random()
        share = HALLUCINATED_V8 if prompt == "support-v8" else HALLUCINATED
        return wrong < share if judged else None


def _line(
    moment: datetime,
    model: Model,
    *,
    prompt: str,
    route: str,
    status: int,
    tokens_in: int,
    answer: tuple[int, int, int, int] | None = None,
) -> str:
    first, latency, tokens_out, cost = answer or ("null", "null", 0, 0)
    return (
        f'{{"ts":"{_written(moment)}","model":"{model.name}","prompt_template":"{prompt}","route":"{route}",'
        f'"status":{status},"ttft_ms":{first},"latency_ms":{latency},"tokens_in":{tokens_in},'
        f'"tokens_out":{tokens_out},"cost_usd":{cost // 1_000_000}.{cost % 1_000_000:06d}}}\n'
    )


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class Truth:
    """What is in the logs, by day, by episode, and by window."""

    def __init__(self) -> None:
        self.days: dict[str, Counter[str]] = {}
        self.episodes = {episode.name: Counter[str]() for episode in EPISODES}
        self.windows = {"before": Counter[str](), "after": Counter[str]()}

    def add(self, day: str, moment: datetime, counts: Counter[str]) -> None:
        """Count one request wherever it belongs."""
        self.days.setdefault(day, Counter()).update(counts)
        for episode in EPISODES:
            if episode.now(moment):
                self.episodes[episode.name].update(counts)
        for name, end in (("before", BEFORE), ("after", AFTER)):
            if end - WINDOW < moment <= end:
                self.windows[name].update(counts)

    def document(self) -> dict[str, object]:
        """Return it all as it is written."""
        days = {day: _counts(counts) for day, counts in self.days.items()}
        return {
            "seed": SEED,
            "total": _counts(sum(self.days.values(), Counter())),
            "episodes": [
                {
                    "name": episode.name,
                    "start": _stamp(episode.start),
                    "end": _stamp(episode.end),
                    **_counts(self.episodes[episode.name]),
                }
                for episode in EPISODES
            ],
            "windows": {
                name: {"start": _stamp(end - WINDOW), "end": _stamp(end)}
                | _counts(self.windows[name])
                for name, end in (("before", BEFORE), ("after", AFTER))
            },
            "canary": {
                "prompt_template": CANARY_PROMPT,
                "start": _stamp(CANARY.start),
                "fails": _stamp(CANARY_FAILS.start),
                "end": _stamp(CANARY.end),
            },
            "days": days,
        }


def _counts(counts: Counter[str]) -> dict[str, object]:
    return {name: counts[name] for name in COUNTED}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def write_month(directory: Path, days: int = DAYS, seed: int = SEED) -> Truth:
    """Write the files of the first ``days`` days and truth.json, and return the truth."""
    logs, judge = directory / "logs", directory / "judge"
    for folder in (logs, judge):
        folder.mkdir(parents=True, exist_ok=True)
    requests, truth = Requests(seed), Truth()
    for place in range(days):
        day = FIRST_DAY + timedelta(days=place)
        lines, scores = list[str](), list[str]()
        for minute in range(1440):
            for moment, counts, line, score in requests.of_minute(day + timedelta(minutes=minute)):
                truth.add(f"{day:%Y-%m-%d}", moment, counts)
                lines.append(line)
                scores.append(score)
        for path, written in (
            (logs / f"requests-{day:%Y-%m-%d}.jsonl", lines),
            (judge / f"scores-{day:%Y-%m-%d}.jsonl", scores),
        ):
            path.write_text("".join(written), encoding="utf-8", newline="\n")
    # Last, so that it is there only when all files are whole.
    text = json.dumps(truth.document(), indent=2) + "\n"
    (logs / "truth.json").write_text(text, encoding="utf-8", newline="\n")
    return truth


def main() -> None:
    """Write the month into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="is made if it does not exist")
    directory = parser.parse_args().directory
    truth = write_month(directory)
    rows = sum(counts["rows"] for counts in truth.days.values())
    print(f"{rows:,} requests of {len(truth.days)} days in {directory}")


if __name__ == "__main__":
    main()
