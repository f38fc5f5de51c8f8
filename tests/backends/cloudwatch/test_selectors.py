"""The language of indicators: what it reads, and what it says of mistakes, with their column."""

from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends.cloudwatch.indicators import mistake_in, read_indicator
from gate.backends.cloudwatch.metrics import Metric, MetricStatistic, shown_sum
from gate.backends.cloudwatch.selectors import SelectorError, read_sum
from gate.slo.indicator import Sli, Slices

ELB = 'AWS/ApplicationELB RequestCount{LoadBalancer="app/chat/1", TargetGroup="targetgroup/a/2"}'
MATH = "metric math is not evaluated"
PLACES: tuple[tuple[str, int, str], ...] = (
    ("", 1, "the namespace is missing"),
    ("AWS/Bedrock", 12, "the name is missing; after the namespace AWS/Bedrock"),
    (":a b", 1, "a namespace does not begin with a colon"),
    ("SUM([a, b])", 4, MATH),
    ("FILL(m1, 0)", 5, MATH),
    ("SELECT SUM(x) FROM y", 1, MATH),
    ("A B / C D", 5, MATH),
    ("A B * 2", 5, MATH),
    ("(A B)", 1, MATH),
    ("A B (C)", 5, MATH),
    ("* A B", 1, MATH),
    ("A B Avg", 5, "'Avg' is not a statistic"),
    ("A B sum", 5, "did you mean 'Sum'?"),
    ("A B Samplecount", 5, "did you mean 'SampleCount'?"),
    ("A B Average", 5, "Average does not add up over time; write Sum or SampleCount"),
    ("A B p99.9", 5, "p99.9 does not add up over time"),
    ("A B TC(:20)", 5, "TC does not add up over time"),
    ("A B C D", 5, "'C' is not a statistic; known: SampleCount, Sum"),
    ("A B $", 5, "the sum ends here; write + or - before the next metric"),
    ("A B Sum C", 9, "the sum ends here"),
    ("A B + ", 7, "the namespace is missing"),
    ("- A B", 1, "the namespace is missing"),
    ("A B + C D - A B", 16, "A B is already in this sum; remove it"),
    ("0 * A B", 1, "a factor of 0 counts nothing"),
    ('A B{C="d"', 4, "this brace is not closed; add }"),
    ('A B{C="d" D="e"}', 11, "write a comma between two dimensions, or } after the last"),
    ('A B{C="d", C="e"}', 12, "the dimension C is given twice; remove one"),
    ("A B{C=d}", 7, 'the value of C needs quotes: C="..."'),
    ('A B{C!="d"}', 6, "CloudWatch does not have !=; a dimension has one value"),
    ('A B{C=~"d.*"}', 6, "CloudWatch does not have =~"),
    ('A B{C "d"}', 7, "'=' is missing"),
    ('A B{="d"}', 5, "the dimension is missing"),
    ('A B{C=" "}', 7, "a value has ASCII characters, and not only blanks"),
    ('A "é"', 3, "a name has ASCII characters"),
    (f"A {'b' * 256}", 3, "a name has at most 255 characters"),
    (
        "A B{" + ", ".join(f'd{n}="x"' for n in range(31)) + "}",
        4,
        "a metric has at most 30 dimensions",
    ),
)


def test_a_metric_is_its_namespace_its_name_and_its_dimensions_in_any_order() -> None:
    (term,) = read_sum(
        'AWS/ApplicationELB RequestCount{TargetGroup="targetgroup/a/2",LoadBalancer = "app/chat/1"}'
    )

    assert term.counted == MetricStatistic(
        metric=Metric(
            namespace="AWS/ApplicationELB",
            name="RequestCount",
            dimensions=(("LoadBalancer", "app/chat/1"), ("TargetGroup", "targetgroup/a/2")),
        )
    )
    assert shown_sum((term,)) == ELB


@pytest.mark.parametrize(
    "text",
    [
        ELB,
        "A B SampleCount",
        "A B + C D SampleCount - E F",
        "0.003 * A B - 1.5 * C D",
        '"My App" "Error Rate"{"the key"="a \\"b\\" \\\\ c, d"}',
        "AWS/ApiGateway 5XXError",
        'CWAgent x_y.z#1{model-id="anthropic.claude-3:0"}',
    ],
)
def test_what_is_shown_is_read_as_the_same(text: str) -> None:
    assert shown_sum(read_sum(text)) == text
    assert read_sum(shown_sum(read_sum(text))) == read_sum(text)


@pytest.mark.parametrize("text", ["A B{}", "A   B\n", "A 'B'", '"A" B Sum', "1 * A B"])
def test_there_are_several_ways_to_write_a_metric(text: str) -> None:
    assert shown_sum(read_sum(text)) == "A B"


def test_a_factor_is_exact_and_a_minus_is_its_sign() -> None:
    first, second = read_sum("0.003 * A B - 0.1 * C D")

    assert (first.factor, second.factor) == (Fraction(3, 1000), Fraction(-1, 10))


@pytest.mark.parametrize(("text", "column", "words"), PLACES)
def test_a_mistake_is_shown_with_its_role_and_column(text: str, column: int, words: str) -> None:
    mistake = mistake_in(Sli(bad=text, total="A Total"), None)

    assert mistake is not None
    assert mistake.startswith(f"bad: column {column} of ")
    assert words in mistake


def test_a_long_text_is_cut() -> None:
    with pytest.raises(SelectorError) as error:
        read_sum(f'A B{{C="{"x" * 200}"')

    assert "column 4 of 'A B{C=\"" in str(error.value)
    assert len(str(error.value)) < 130


@pytest.mark.parametrize(
    ("sli", "words"),
    [
        (Sli(bad="A B"), "the key 'total' is missing"),
        (Sli(good="A B"), "the key 'total' is missing"),
        (Sli(total="A B"), "the key 'bad' is missing"),
        (Sli(total="A B", good="A C", bad="A D"), "good, bad and total do not go together"),
        (Sli(column="A B", threshold=Fraction(2), total="A C"), "'total' does not go with"),
        (Sli(column="A B Sum", threshold=Fraction(2)), "column is one metric, without a statistic"),
        (Sli(column="A B + A C", threshold=Fraction(2)), "without + or -"),
        (Sli(column="0.1 * A B", threshold=Fraction(2)), "metric math is not evaluated"),
        (Sli(column="A B", threshold=Fraction(1, 3)), "at most 10 decimals"),
        (Sli(column="A B", threshold=Fraction(1, 2**11)), "at most 10 decimals"),
        (Sli(spent="A B *"), "metric math"),
    ],
)
def test_parts_that_do_not_go_together_are_a_mistake(sli: Sli, words: str) -> None:
    assert words in str(mistake_in(sli, None))


@pytest.mark.parametrize(
    "sli",
    [
        Sli(bad="A B", total="A C"),
        Sli(good="A B", total="A C"),
        Sli(good="A B", bad="A C"),
        Sli(spent="0.1 * A B"),
        Sli(column="A B", threshold=Fraction(1, 4)),
    ],
)
def test_an_indicator_without_a_mistake_has_none(sli: Sli) -> None:
    assert mistake_in(sli, Slices(length=timedelta(minutes=5), target=Fraction(9, 10))) is None


def test_timeslices_are_whole_minutes() -> None:
    slices = Slices(length=timedelta(seconds=90), target=Fraction(9, 10))

    assert "timeslices of 1m30s cannot be counted" in str(
        mistake_in(Sli(bad="A B", total="A C"), slices)
    )


def test_a_latency_counts_its_values_up_to_the_threshold_and_all_of_them() -> None:
    reading = read_indicator(Sli(column='A L{M="x"}', threshold=Fraction(5, 2)))

    assert str(reading) == 'total: A L{M="x"} SampleCount; good: A L{M="x"} TC(:2.5)'
