"""Series that other tools have recorded, as a policy asks for them."""

import pytest

from gate.config.presets import load_recorded
from gate.config.sli_schema import RECORDED
from tests.config.texts import assert_mistake, only_ratio, policy, slo

OBJECTIVE = "objective: 99.9%"
WINDOW = "window: 30d"
SLOTH = "sli: {recorded: sloth, labels: {sloth_service: chat, sloth_slo: errors}}"


@pytest.mark.parametrize("tool", RECORDED)
def test_every_tool_says_its_errors_its_objective_and_its_sources(tool: str) -> None:
    indicator = load_recorded(tool)

    assert indicator.requires
    assert indicator.sources
    for family in indicator.families:
        assert family.notes
        assert "$labels" in family.expressions["objective"]
        assert ("timeslice mean" in family.notes[0]) == family.sliced


def test_sloths_ratios_are_counted_in_slices_of_the_slo_that_the_labels_name() -> None:
    sli = only_ratio(OBJECTIVE, WINDOW, SLOTH).sli

    assert sli.sliced
    assert sli.labels == {"sloth_service": "chat", "sloth_slo": "errors"}
    assert sli.bad == "sum_over_time((slo:sli_error:ratio_rate5m{$labels} >= 0)[$window:5m])"
    assert sli.older == ()


def test_pyrras_ratios_stand_in_for_its_rates() -> None:
    sli = only_ratio(OBJECTIVE, WINDOW, "sli: {recorded: pyrra, labels: {slo: errors}}").sli

    (ratios,) = sli.older
    assert (sli.sliced, ratios.sliced) == (False, True)


@pytest.mark.parametrize(
    ("sli", "message"),
    [
        ("{recorded: ¦slooth, labels: {}}", "'slooth' is not a valid value; did you mean 'sloth'?"),
        (
            "¦{recorded: pyrra}",
            "the label 'slo' is missing; add labels: {slo: ...}",
        ),
        (
            "{recorded: pyrra, threshold: ¦1s}",
            "'threshold' does not go with recorded series; remove it",
        ),
    ],
)
def test_recorded_series_that_cannot_be_distinguished_are_a_mistake(sli: str, message: str) -> None:
    assert_mistake(policy(slos=slo(OBJECTIVE, WINDOW, f"sli: {sli}")), message)


def test_slices_are_not_a_sample() -> None:
    text = policy(slos=slo(OBJECTIVE, WINDOW, SLOTH, "sampled: ¦true"))
    assert_mistake(text, "'sampled' does not go with timeslices; remove one")
