"""Properties of every reporter."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.decision.seal import hmac_key
from gate.decision.status import status_document
from gate.measure import Cause, Unmeasured
from gate.policy.changes import Recognition
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.requirements import (
    CheckedRequirement,
    EvaluationRequirement,
    RequirementResult,
    RequirementState,
)
from gate.reporters import PAGES, REPORTERS, render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from gate.slo.objective import RollingWindow
from tests.reporters.builders import (
    AT,
    CLAIMED,
    EVERY_KIND,
    allow_policy,
    availability,
    block_policy,
    burning,
    by_the_minute,
    counts,
    decided,
    decision,
    finding,
    first_token,
    healthy,
    overspent,
    policy_of,
    postmortem_policy,
    sampled,
    source,
    spend,
    status,
    undecided_policy,
    unmeasured,
    warn_policy,
)

PEOPLE = ["terminal", "markdown"]
STYLE = Style(width=400)


def told(reporter: str, *known: Assessment) -> str:
    """Report all that is known of these budgets, the words of the reports alone."""
    text = render_page(
        reporter, status_output(status(decided(*known, findings=(), tier=None))), STYLE
    )
    return " ".join(text.replace("&nbsp;", " ").replace("**", "").split())


@pytest.mark.variants(84)
@pytest.mark.parametrize("reporter", REPORTERS)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_report_ends_in_one_newline(reporter: str, kind: str) -> None:
    texts = [render(reporter, replace(EVERY_KIND[kind], key=hmac_key(b"a key")), Style())]
    if reporter in PAGES:
        known = status(*EVERY_KIND[kind].policies)
        texts.append(render_page(reporter, status_output(known), Style()))
    for text in texts:
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_a_reporter_is_imported_only_when_it_is_used() -> None:
    code = "import sys, gate.reporters as r; print(set(r.REPORTERS.values()) & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_json_is_the_document_itself() -> None:
    made = EVERY_KIND["several"]
    assert json.loads(render("json", made, STYLE)) == to_document(made)
    known = status(block_policy())
    assert json.loads(render_page("json", status_output(known), STYLE)) == status_document(known)


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "kind, word", [("allowed", "ALLOW"), ("blocked", "BLOCK"), ("undecided", "UNDECIDED")]
)
def test_the_first_line_is_the_verdict_and_what_it_is_on(
    reporter: str, kind: str, word: str
) -> None:
    first = render(reporter, EVERY_KIND[kind], STYLE).splitlines()[0]
    assert word in first
    assert "full-rollout of chat" in first


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_verdict_that_is_only_observed_says_so_at_once(reporter: str) -> None:
    first = render(reporter, EVERY_KIND["observed"], STYLE).splitlines()[0]
    assert "BLOCK (dry run: not enforced, exit code 0)" in first


@pytest.mark.parametrize("reporter", PEOPLE)
def test_the_order_is_that_in_which_a_reader_asks(reporter: str) -> None:
    text = render(reporter, EVERY_KIND["blocked"], STYLE)
    parts = ["BLOCK", "Why", "by 50.0%", "Allowed now", "rollback", "Allowed again", "2026-11-30"]
    parts += ["Ask", "llm-platform", "Objective", "1,800", "forecast", "policies/chat.yaml"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("reporter", PEOPLE)
def test_several_policies_begin_with_the_worst_verdict_and_who_it_comes_from(reporter: str) -> None:
    first = render(reporter, EVERY_KIND["several"], STYLE).splitlines()[0]
    assert "BLOCK" in first
    assert "3 policies: 1 block (chat), 1 undecided (rag), 1 allow" in first


@pytest.mark.variants(123)
@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("verdict", Verdict)
def test_what_was_not_measured_is_reported_whatever_the_verdict(
    reporter: str, cause: Cause, verdict: Verdict
) -> None:
    objection = finding(Rule.MEASUREMENT, verdict, "let pass by the policy", "answers")
    made = decision(decided(unmeasured(cause, "so it is"), findings=(objection,), tier=None))
    text = render(reporter, made, STYLE)
    words = cause.replace("_", " ")
    assert "(its only SLO is not measured)" in text.splitlines()[0]
    assert f"answers: {words}, so it is" in text
    assert f"not measured: {words}" in text
    for number in ("100%", "0.0%", "100.0%", "0 of", "left  "):
        assert number not in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_the_reason_why_nothing_was_measured_is_not_said_twice(reporter: str) -> None:
    text = render(reporter, EVERY_KIND["undecided"], STYLE)
    summary = text[: text.index("Objective")]
    assert summary.count("query timed out") == 1
    assert "answers: backend error" in summary
    assert "once it can be measured" in summary


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_doubt_that_no_finding_tells_is_reported(reporter: str) -> None:
    thin = warn_policy().assessments[0]
    made = decision(
        decided(thin, findings=(finding(Rule.TIER, Verdict.ALLOW, "fine"),), tier="healthy")
    )
    text = render(reporter, made, STYLE)
    assert "availability: low coverage, only 67% of the window has data" in text
    warned = render(reporter, EVERY_KIND["warned"], STYLE)
    assert "low coverage, only 67%" not in warned


@pytest.mark.parametrize("reporter", PEOPLE)
def test_lesser_objections_are_reported_after_the_decisive_one(reporter: str) -> None:
    findings = (
        finding(Rule.FREEZE, Verdict.BLOCK, "frozen"),
        finding(Rule.BURN_RATE, Verdict.WARN, "a little fast", "availability"),
    )
    text = render(reporter, decision(decided(healthy(), findings=findings, tier="healthy")), STYLE)
    assert "warn: availability: a little fast" in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_finding_that_ends_by_itself_says_when(reporter: str) -> None:
    until = AT + timedelta(days=10)
    frozen = Finding(
        rule=Rule.FREEZE, slo=None, verdict=Verdict.BLOCK, reason="frozen: year end", until=until
    )
    text = render(reporter, decision(decided(healthy(), findings=(frozen,), tier=None)), STYLE)
    assert "frozen: year end (until 2026-12-03 20:53 UTC)" in text
    again = decided(healthy(), findings=(frozen,), tier=None, allowed_again_at=until)
    once = render(reporter, decision(again), STYLE)
    assert once.count("2026-12-03 20:53 UTC") == 1


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "recognition, words",
    [
        (Recognition(change="canary", how="--change"), "canary, by --change"),
        (Recognition(change="canary", how="default"), "canary, by the policy's default"),
        (Recognition(change="canary", how="paths", evidence=("a", "b")), "by paths: a, b"),
        (
            Recognition(change="canary", how="unknown", evidence=("paths: shallow",)),
            "which cannot be ruled out: paths: shallow",
        ),
        (Recognition(change="canary", how="default", notes=("not approved",)), "not approved"),
    ],
)
def test_how_the_class_was_recognised_is_reported(
    reporter: str, recognition: Recognition, words: str
) -> None:
    text = render(reporter, decision(allow_policy(recognition=recognition)), STYLE)
    assert words in text.replace("&#39;", "'")


@pytest.mark.parametrize("reporter", PEOPLE)
def test_requirements_are_reported_with_their_evidence(reporter: str) -> None:
    text = render(reporter, decision(warn_policy()), Style(width=400)).replace("&#58;", ":")
    assert "shadow, claimed, not verified: https://ci.acme.example/runs/17" in text
    lacking = warn_policy(policy=policy_of((), owners=(), dashboard=None))
    text = render(reporter, decision(lacking), STYLE)
    assert "Ask" not in text
    assert "Dashboard" not in text
    not_met = RequirementResult(state=RequirementState.NOT_MET, reason="required first")
    needed = block_policy(requirements=(replace(CLAIMED, result=not_met),))
    assert "shadow, not met" in render(reporter, decision(needed), STYLE)


def evaluated(state: RequirementState, reason: str, *files: str) -> CheckedRequirement:
    requirement = EvaluationRequirement(name=reason[:5], files=files, at_least=Fraction(9, 10))
    return CheckedRequirement(requirement, RequirementResult(state=state, reason=reason))


def test_what_is_not_met_comes_first_and_the_next_command_shows_its_files() -> None:
    found = finding(Rule.REQUIREMENT, Verdict.UNDECIDED, "third: no file")
    required = (
        evaluated(RequirementState.MET, "first and good", "first/*.json"),
        CLAIMED,
        evaluated(RequirementState.UNDECIDED, "third", "my evals/?.json", "more/**/*.xml"),
    )
    made = decided(healthy(), findings=(found,), tier="healthy", requirements=required)
    words = " ".join(render("terminal", decision(made), Style(width=400)).split())
    assert (
        "Needs third, undecided first, met: first and good shadow, claimed, not verified:" in words
    )
    assert "Allowed again once the requirements are met" in words
    assert (
        "Next gate evaluation 'my evals/'?.json more/**/*.xml (shows what the gate reads" in words
    )
    claimed = replace(made.judgement, requirements=(CLAIMED,))
    alone = render("terminal", decision(replace(made, judgement=claimed)), Style(width=400))
    assert "Next" not in alone


@pytest.mark.parametrize("reporter", PEOPLE)
def test_when_it_is_allowed_again_is_certain_or_said_to_be_unknown(reporter: str) -> None:
    rolling = render(reporter, decision(block_policy(allowed_again_at=None)), STYLE)
    assert "not known: a rolling window recovers as old failures leave it" in rolling
    findings = (finding(Rule.TIER, Verdict.BLOCK, "no"),)
    calendar = decided(first_token(), findings=findings, tier="exhausted")
    assert "not known" in render(reporter, decision(calendar), STYLE)
    assert "a rolling window" not in render(reporter, decision(calendar), STYLE)
    reviewed = render(reporter, decision(postmortem_policy()), Style(width=600))
    assert "once the record is reviewed; else not before 2026-12-22 20:53" in reviewed
    assert "if nothing more fails" in " ".join(reviewed.split())
    assert "(until" not in reviewed
    open_ = render(reporter, decision(postmortem_policy(allowed_again_at=None)), Style(width=400))
    assert "once the incident is over and its record is reviewed" in open_
    burning = (finding(Rule.EXHAUSTION, Verdict.BLOCK, "soon", "availability"),)
    soon = render(reporter, decision(decided(healthy(), findings=burning, tier="healthy")), STYLE)
    assert "once the burn rate is lower" in soon
    frozen = (*burning, finding(Rule.FREEZE, Verdict.BLOCK, "frozen"))
    text = render(reporter, decision(decided(healthy(), findings=frozen, tier="healthy")), STYLE)
    assert "not known" in text
    assert "a rolling window" not in text
    nothing = decided(unmeasured(), findings=findings, tier=None)
    text = render(reporter, decision(nothing), STYLE)
    assert "no change class at all" in text
    assert "not known" in text


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "fields, words",
    [
        ({}, "revision 1a2b3c4d1a2b, sha256 5f5f5f5f5f5f"),
        ({"modified": True}, "revision 1a2b3c4d1a2b, modified since, sha256"),
        ({"revision": None}, "not committed, sha256"),
    ],
)
def test_the_text_of_the_policy_can_be_found_again(
    reporter: str, fields: dict[str, object], words: str
) -> None:
    text = render(reporter, decision(block_policy(source=source(**fields))), STYLE)
    assert words in text
    assert "2026-11-23T20:53:51Z" in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_time_budgets_speak_in_minutes(reporter: str) -> None:
    # 12 of 43.2 minutes are gone.
    assert "31m12s of 43m12s left" in told(reporter, by_the_minute(12))
    assert "16m48s more than the 43m12s" in told(reporter, by_the_minute(60))
    assert "12 of 43,190 slices" in told(reporter, by_the_minute(12))


@pytest.mark.parametrize("reporter", PEOPLE)
def test_money_is_reported_in_its_unit(reporter: str) -> None:
    assert "12,340 of 50,000 USD" in told(reporter, spend())


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_sample_is_reported_with_its_interval_and_what_was_compared(reporter: str) -> None:
    text = told(reporter, sampled())
    # Wilson on 6 of 700 is 0.39% to 1.86%, of the 2% that are allowed.
    assert "57.1% left over 30d (consumed 42.9%)" in text
    assert "95% interval from 7.1% to 80.3%" in text
    assert re.search(r"for the tiers\W+7\.1% \(lower bound\)", text)


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_design_effect_is_reported_with_the_interval_that_it_makes_wider(reporter: str) -> None:
    alike = sampled(design_effect=Fraction(3))

    # As of 2 of 233.3: 0.235% to 3.071%, of the 2% that are allowed.
    text = told(reporter, alike)
    assert "95% interval from overspent by 53.6% to 88.2% (design effect 3)" in text
    made = decision(decided(alike, findings=(), tier="caution"))
    (policy,) = json.loads(render("json", made, STYLE))["policies"]
    assert policy["slos"][0]["design_effect"] == 3


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_burn_rate_that_was_not_measured_has_no_number(reporter: str) -> None:
    lost = Unmeasured(cause=Cause.STALE, reason="too old")
    windows = burning(1, 2_000) | {timedelta(hours=1): lost}
    text = told(reporter, availability(counts(1, 10_000), windows))
    assert "0.50 over 5m to 30m, 0.50 over 2h to 3d, not measured over 1h (too old)" in text
    assert "none: the burn rate over 1h was not measured" in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_window_without_traffic_has_no_burn_rate(reporter: str) -> None:
    silent = Unmeasured(cause=Cause.NO_TRAFFIC, reason="total is 0")
    windows = burning(1, 2_000) | {timedelta(hours=1): silent}
    text = told(reporter, availability(counts(1, 10_000), windows))
    assert "0.50 over 5m to 30m, 0.50 over 2h to 3d, none over 1h (no traffic)" in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_why_nothing_was_measured_is_reported_once(reporter: str) -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="no route to the server")
    text = told(reporter, availability(lost, dict.fromkeys(burning(1, 2), lost)))
    assert text.count("no route to the server") == 1


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "known, sentence",
    [
        (healthy(), "runs out about 2027-01-08 11:17 UTC at the current rate"),
        (overspent(), "already exhausted"),
        (first_token(), "lasts until the reset on 2026-11-30 23:00 UTC at the current rate"),
        (first_token(bad=30_000), "already exhausted, until the reset on 2026-11-30 23:00 UTC"),
        (by_the_minute(0), "will not run out at the current rate"),
        (spend(49_000), ", before the reset on 2026-11-30 23:00 UTC"),
        (spend(0, RollingWindow(timedelta(days=7))), "will not run out at the current rate"),
    ],
)
def test_the_forecast_is_a_sentence(reporter: str, known: Assessment, sentence: str) -> None:
    assert sentence in told(reporter, known)


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "impact, bad, sentence",
    [
        # 24,000 an hour: 2,000 in 5 minutes; 1,200 of 1,200,000 may fail.
        (
            None,
            500,
            "up to 35.0% of the traffic that fails every request for 5m, or one of 100% for 1m45s",
        ),
        (None, 1_199, "a canary of up to less than 0.1% of the traffic"),
        (
            Impact(failures=Fraction(1, 10)),
            500,
            "a full rollout that fails 10% of its requests for up to 17m30s",
        ),
        (Impact(canary=Fraction(0)), 500, "or one of 0% for any time"),
        (
            Impact(canary=Fraction(1, 2), failures=Fraction(1, 10)),
            500,
            "of the traffic that fails 10% of its requests for 5m, or one of 50% for 35m",
        ),
        (
            Impact(canary=Fraction(1, 10)),
            500,
            "for a canary of 10% of the traffic that fails every request for 5m",
        ),
    ],
)
def test_what_the_budget_can_pay_for_names_its_assumption(
    reporter: str, impact: Impact | None, bad: int, sentence: str
) -> None:
    known = availability(counts(bad, 1_200_000), burning(0, 24_000), impact=impact)
    assert sentence in told(reporter, known).replace("for: ", "for ")


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_decision_names_the_canary_that_the_tightest_budget_can_pay_for(reporter: str) -> None:
    def canary(*known: Assessment) -> str:
        fine = finding(Rule.TIER, Verdict.ALLOW, "fine")
        made = decision(decided(*known, findings=(fine,), tier="healthy"))
        return " ".join(render(reporter, made, Style(width=400)).split("<details>")[0].split())

    tight = availability(counts(500, 1_200_000), burning(0, 24_000))
    sentence = "that fails every request for 5m, or one of 100% for 1m45s (availability)"
    assert sentence in canary(first_token(), tight, spend())
    assert "8h32m (ttft)" in canary(first_token(), spend())
    # With one budget unknown nothing is promised; money prices no canary; advice binds nobody.
    assert "covers" not in canary(tight, unmeasured())
    assert "covers" not in canary(spend())
    assert "covers" not in canary(tight, overspent())
    advisory = replace(tight, slo=replace(tight.slo, advisory=True))
    assert "8h32m (ttft)" in canary(advisory, first_token())


@pytest.mark.parametrize("reporter", PEOPLE)
def test_that_no_error_series_was_found_is_reported_although_all_is_calm(reporter: str) -> None:
    note = "no 'bad' series found; counted as 0 because 'total' has data"
    calm = availability(counts(0, 1_200_000, notes=(note,)), burning(0, 24_000))
    other = replace(calm, slo=replace(calm.slo, name="other"))
    fine = finding(Rule.TIER, Verdict.ALLOW, "fine")
    text = render(reporter, decision(decided(calm, other, findings=(fine,), tier="healthy")), STYLE)
    assert f"2 of 2 SLOs: {note}" in text.split("<details>")[0]


def test_the_terminal_goes_into_detail_only_where_something_is_in_question() -> None:
    def detailed(known: Assessment, **fields: Any) -> bool:
        fine = finding(Rule.TIER, Verdict.ALLOW, "fine")
        made = decided(known, **{"findings": (fine,), "tier": "healthy"} | fields)
        return "burn rates" in render("terminal", decision(made), STYLE)

    assert not detailed(healthy())
    assert detailed(overspent())
    assert detailed(availability(counts(0, 10), burning(0, 10)))
    fast = (finding(Rule.BURN_RATE, Verdict.WARN, "fast", "availability"),)
    assert detailed(healthy(), findings=fast)


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_budget_without_known_data_shows_nothing_made_up(reporter: str) -> None:
    text = told(reporter, Assessment(slo=healthy().slo))
    for word in ("UTC to", "consumed", "covers", "error ratio", "window:"):
        assert word not in text


@pytest.mark.parametrize("reporter", PEOPLE)
def test_the_margin_of_the_contract_is_reported(reporter: str) -> None:
    assert "70.0% left of the contract's budget (99.5%)" in told(reporter, overspent()).replace(
        "&#39;", "'"
    )


def test_a_status_has_no_verdict() -> None:
    policies = (block_policy(), undecided_policy(), allow_policy())
    for reporter in PAGES:
        text = render_page(reporter, status_output(status(*policies)), STYLE)
        for word in ("BLOCK", "ALLOW", "UNDECIDED", "Why", "exit", "verdict"):
            assert word not in text


def test_every_decision_that_is_tested_has_an_exit_code_of_its_own_verdict() -> None:
    codes = {kind: int(made.exit_code) for kind, made in EVERY_KIND.items()}
    assert codes["warned-fails"] == 11
    assert (codes["allowed"], codes["warned"], codes["observed"]) == (0, 0, 0)
    assert (codes["blocked"], codes["undecided"], codes["several"]) == (10, 3, 10)
    assert isinstance(EVERY_KIND["allowed"], Decision)


@pytest.mark.parametrize("reporter", PEOPLE)
@pytest.mark.parametrize(
    "at_pace, words",
    [(AT + timedelta(days=4), "2026-11-27 20:53 UTC"), (None, "never")],
)
def test_recovery_is_the_earliest_instant_and_that_at_the_pace_of_the_last_week(
    reporter: str, at_pace: datetime | None, words: str
) -> None:
    again = AT + timedelta(days=3)
    calm = replace(finding(Rule.TIER, Verdict.BLOCK, "no"), until=again, if_calm=True)
    blocked = decided(overspent(), findings=(calm,), tier="exhausted", allowed_again_at=again)
    judgement = replace(blocked.judgement, paced=True, allowed_again_at_pace=at_pace)
    made = decision(replace(blocked, judgement=judgement))

    text = " ".join(render(reporter, made, Style(width=400)).split())
    assert (
        "not before 2026-11-26 20:53 UTC (in 3d), if nothing more fails; at the rate"
        f" of the last 7d: {words}" in text
    )
    (policy,) = json.loads(render("json", made, STYLE))["policies"]
    assert policy["allowed_again_at_pace"] == {
        "pace_seconds": 7 * 86_400,
        "at": None if at_pace is None else "2026-11-27T20:53:51Z",
    }


@pytest.mark.parametrize("reporter", PEOPLE)
def test_a_sample_that_time_does_not_mend_says_how_many_it_takes(reporter: str) -> None:
    few = replace(finding(Rule.TIER, Verdict.BLOCK, "no"), needs_samples=1840)
    made = decision(decided(overspent(), findings=(few,), tier="exhausted"))

    text = " ".join(render(reporter, made, Style(width=400)).split())
    assert (
        "not at this rate of sampling: it takes 1,840 samples in the window, even if none of them"
        " is bad" in text
    )
    assert (
        json.loads(render("json", made, STYLE))["policies"][0]["allowed_again_needs_samples"]
        == 1840
    )
