"""Coverage where it can learn something: the other tests run without.

A Python that traces takes two to four times as long, in all that it runs and not only in gate/.
Tests that are marked `real` or `untraced`, those that look for counter-examples by Hypothesis and
all that the list below names reach no branch that others do not reach, so tracing pauses during
them. Where `make test` says that a branch is not covered that one of them reaches, write a short
test of the branch, or take that test from the list.
"""

import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import Any, Final

import pytest
from coverage import Coverage

import gate

MARKERS: Final = ("real", "untraced", "hypothesis")
UNTRACED: Final[Mapping[str, Sequence[str]]] = {
    "analysis/cases/test_judging.py": (),
    "analysis/cases/test_past.py": (
        "test_a_reviewed_record_of_the_case_lets_it_pass",
        "test_an_incident_needs_a_record_above_the_rules_share",
        "test_an_incident_that_goes_on_is_not_explained_by_a_record",
        "test_records_that_the_policy_reads_change_no_case",
        "test_reviewed_incidents_excuse_what_they_took",
    ),
    "analysis/test_backtest.py": (
        "test_a_budget_that_runs_out_twice_has_run_out_twice",
        "test_a_budget_that_was_never_measured_has_no_course",
        "test_a_requirement_that_was_met_all_the_time_blocks_nothing",
        "test_all_instants_are_asked_about_in_one_call_and_a_history_each_rule_and_the_incidents",
        "test_at_random_instants_it_says_what_a_check_says",
        "test_beside_deploys_the_clock_counts_for_the_frozen_time_only",
        "test_blocked_allowed_and_preceded_are_what_a_plain_count_says",
        "test_it_is_undecided_where_most_of_the_past_was_not_measured",
        "test_only_deploys_of_the_service_in_the_time_looked_at_are_tried",
        "test_two_policies_are_tried_at_the_same_instants_and_incidents",
        "test_where_no_more_is_offered_each_instant_is_a_call_of_its_own",
    ),
    "analysis/test_forecast.py": (
        "test_a_rate_of_one_spends_as_much_as_comes_back_and_never_recovers",
        "test_hours_that_are_not_known_are_told",
        "test_what_can_be_afforded_is_what_just_keeps_the_budget",
        "test_what_is_not_known_can_afford_nothing_that_could_be_told",
        "test_what_is_spent_goes_on_as_in_the_hours_and_days_before",
        "test_without_a_date_it_is_one_window_from_now_and_with_a_later_one_as_well",
    ),
    "analysis/test_report.py": (
        "test_a_budget_that_is_not_measured_is_undecided_whatever_is_known_of_others",
        "test_a_change_that_is_asked_about_is_decided_on",
        "test_a_hole_is_in_the_document",
        "test_budgets_courses_and_incidents_come_from_the_same_truth",
        "test_deploys_of_the_service_and_of_the_time_looked_at_are_told",
        "test_each_series_is_asked_for_once_and_all_of_them_together",
        "test_each_service_is_told_of_by_itself",
        "test_rules_that_look_back_decide_on_each_class",
        "test_the_document_of_a_calm_service_has_no_decision_and_no_hole",
        "test_the_document_tells_what_the_pictures_show",
        "test_what_each_class_may_do_is_told_where_no_change_is_asked_about",
        "test_what_has_no_data_is_undecided_and_the_rest_is_told",
        "test_what_is_foretold_is_what_the_same_history_says_of_the_past",
    ),
    "analysis/test_review.py": ("test_one_question_is_asked_for_all_periods_of_an_slo",),
    "analysis/test_watch.py": (
        "test_a_backend_that_stays_down_leaves_it_undecided_with_the_reason",
        "test_a_budget_that_is_not_measured_leaves_open_what_was_spent",
        "test_a_canary_alone_may_rest",
        "test_a_canary_alone_whose_traffic_ends_is_not_healthy",
        "test_a_canary_like_its_baseline_is_healthy_after_the_whole_time",
        "test_a_canary_may_be_without_traffic_for_a_short_time_or_when_all_are",
        "test_a_canary_of_which_half_fails_is_stopped_in_two_looks",
        "test_a_canary_whose_traffic_ends_is_not_healthy_although_what_was_seen_is_within",
        "test_a_canary_without_a_baseline_is_compared_with_the_budget",
        "test_a_healthy_canary_can_be_told_for_how_much_longer_it_needs",
        "test_a_minute_that_is_lost_leaves_it_undecided",
        "test_a_service_without_traffic_cannot_be_judged",
        "test_a_signal_after_the_whole_time_leaves_the_verdict_on_all_of_it",
        "test_a_signal_before_the_end_never_leaves_a_healthy_canary",
        "test_a_signal_in_the_last_look_is_told",
        "test_a_step_without_any_event_is_asked_for_until_its_events_are_there",
        "test_a_watch_that_goes_on_after_a_restart_ends_like_one_without",
        "test_an_advisory_slo_accuses_only_where_it_is_named",
        "test_an_outage_of_both_accuses_nobody",
        "test_each_step_is_asked_for_in_three_looks_and_never_again",
        "test_events_that_are_a_sample_tell_as_much_as_independent_ones",
        "test_events_that_come_late_are_counted_whole",
        "test_every_slo_must_be_within_the_margin",
        "test_failures_below_the_limit_are_never_overspent",
        "test_only_the_named_slo_is_watched",
        "test_the_backend_may_be_down_for_a_while_and_is_asked_again",
        "test_the_clock_is_read_once_so_that_no_setting_of_it_changes_the_steps",
        "test_what_chance_can_have_spent_is_neither_a_rollback_nor_healthy",
        "test_without_a_limit_the_budget_is_seldom_asked_for_and_decides_nothing",
    ),
    "analysis/test_watch_alignment.py": (
        "test_an_outage_of_both_accuses_nobody_whenever_each_is_scraped",
        "test_short_outages_of_both_accuse_nobody_however_many_fall_on_the_edge_of_a_step",
    ),
    "backends/evaluations/test_command.py": (
        "test_a_chart_of_two_weeks_says_that_it_has_too_few_points",
        "test_a_drop_is_a_signal_of_a_chart_with_one_point_a_day",
        "test_every_point_of_the_picture_is_what_the_status_said_then",
        "test_it_stands_beside_the_live_slos_and_the_worse_verdict_counts",
        "test_the_age_that_is_too_old_follows_from_how_often_a_run_is_due",
        "test_the_budget_is_what_the_nights_have_consumed",
        "test_the_doctor_says_what_there_is_and_when_the_next_run_is_due",
        "test_the_rule_of_control_charts_warns_in_the_morning_after_a_drop",
        "test_three_bad_nights_are_one_incident",
    ),
    "backends/evaluations/test_counting.py": (
        "test_a_day_without_a_run_is_unknown",
        "test_a_set_that_stays_smaller_is_suspected_until_most_of_a_week_has_it",
        "test_a_set_that_was_changed_on_purpose_is_not_suspected",
        "test_a_window_leaves_its_start_out_and_has_its_end",
        "test_an_easy_subset_is_suspected_with_the_number_of_cases_that_it_lacks",
        "test_files_are_read_once_however_many_windows_and_slos",
        "test_the_steps_add_up_to_what_is_counted",
    ),
    "backends/logs/test_counting.py": (
        "test_a_condition_of_an_amount_is_its_own",
        "test_all_windows_of_a_run_are_as_if_each_were_asked_alone",
        "test_an_amount_adds_up_exactly_in_every_format",
        "test_an_amount_has_its_newest_row_and_coverage",
        "test_an_amount_that_is_none_is_invalid_however_much_others_spent",
        "test_events_and_failures_are_counted_in_every_format",
        "test_rows_of_which_none_is_an_event_are_no_traffic",
        "test_the_newest_event_and_the_coverage_are_told_when_asked",
        "test_the_start_of_a_window_is_left_out",
    ),
    "backends/logs/test_exact_numbers.py": (
        "test_a_fraction_among_large_whole_numbers_is_an_error_and_is_not_rounded",
        "test_large_numbers_with_a_fraction_or_an_exponent_are_doubles",
        "test_numbers_above_2_to_the_53_are_told_apart",
        "test_truth_values_as_text_are_conditions",
    ),
    "backends/logs/test_formats.py": (
        "test_a_column_that_some_file_lacks_is_an_error_and_no_null",
        "test_a_fraction_after_many_whole_numbers_is_not_rounded",
        "test_a_json_key_that_is_rare_is_found",
        "test_a_json_line_that_is_no_object_is_an_error",
        "test_a_text_after_many_numbers_is_an_error_that_shows_its_line_but_not_the_text",
    ),
    "backends/logs/test_json_files.py": (
        "test_the_last_line_of_a_file_that_is_being_written_is_left_out_and_said",
    ),
    "backends/logs/test_measure_past.py": (
        "test_a_file_that_lacks_a_key_spoils_the_runs_that_look_at_it_only",
        "test_a_run_without_such_files_or_with_few_of_one_row_is_as_alone",
        "test_a_value_that_cannot_be_read_spoils_the_runs_that_need_it",
        "test_every_answer_is_what_the_run_gives_alone",
        "test_many_runs_are_one_scan",
    ),
    "backends/logs/test_one_scan.py": (
        "test_twenty_slos_over_eight_windows_are_one_scan",
        "test_where_a_short_window_seems_to_miss_rows_the_times_are_read_once_more",
    ),
    "backends/logs/test_row_values.py": (),
    "backends/logs/test_silence.py": (
        "test_a_lost_file_of_an_hour_is_unknown_and_all_around_it_known",
        "test_after_the_newest_row_silence_is_believed_as_long_as_a_sample_may_be_old",
        "test_the_history_misses_what_the_count_misses",
        "test_the_same_hour_is_unknown_whenever_one_looks",
        "test_where_nothing_is_lost_everything_is_known",
    ),
    "backends/logs/test_suspicions.py": (
        "test_a_bad_value_in_another_spelling_is_said_and_not_shown",
        "test_hours_that_are_lost_are_said_with_what_is_usual_then",
        "test_nothing_is_suspected_of_a_healthy_service",
        "test_outcomes_that_are_null_are_said_with_their_exact_number",
    ),
    "backends/logs/test_time_formats.py": (
        "test_a_form_that_can_be_read_in_one_way_is_read",
        "test_a_wall_clock_in_any_form_needs_the_zone",
    ),
    "backends/logs/test_timestamps.py": (
        "test_a_number_in_parquet_is_too",
        "test_a_number_is_unix_time_in_the_unit_that_fits",
        "test_a_number_that_tells_no_instant_is_an_error",
        "test_a_text_that_tells_no_instant_is_an_error_and_no_row_is_left_out",
        "test_text_with_an_offset_speaks_for_itself",
    ),
    "backends/prometheus/test_backend.py": (
        "test_every_query_of_a_run_has_the_same_instant_and_a_timeout",
        "test_no_query_is_longer_than_victoria_metrics_takes",
    ),
    "backends/prometheus/test_limits.py": (
        "test_a_server_that_takes_few_queries_at_once_is_asked_one_after_the_other",
        "test_what_no_shorter_window_cures_is_given_up_after_few_requests",
    ),
    "backends/prometheus/test_methods.py": (
        "test_where_both_are_refused_the_first_refusal_is_said",
        "test_where_post_is_refused_the_rest_of_the_run_is_asked_by_get",
    ),
    "backends/prometheus/test_network.py": ("test_url_that_is_none_is_told",),
    "backends/prometheus/test_resolve.py": (
        "test_a_server_that_does_not_say_what_it_has_is_a_backend_error",
    ),
    "backends/prometheus/test_taking_apart.py": (
        "test_when_nobody_is_let_in_the_rest_is_not_even_asked",
        "test_window_too_large_for_one_query_is_counted_in_halves",
    ),
    "backends/test_contract.py": ("test_what_nothing_is_wrong_with_is_measured_and_allowed",),
    "backends/test_registry.py": ("test_the_schema_has_the_block_of_a_new_backend",),
    "backends/test_secrecy.py": ("test_no_format_shows_more_of_the_address_than_its_variable",),
    "check/test_clockwork.py": (
        "test_a_history_that_is_longer_than_the_window_has_one_windows_part_of_the_events",
        "test_a_night_without_traffic_changes_no_share_and_no_time_between_failures",
        "test_an_incident_of_the_present_window_takes_what_status_says_whatever_was_before",
        "test_in_every_minute_the_same_incidents_are_found_with_the_same_shares",
        "test_in_every_minute_there_is_one_verdict_of_every_rule_that_looks_back",
    ),
    "check/test_past_budget_is_the_status_then.py": (
        "test_each_cell_of_a_status_is_the_status_of_its_instant",
        "test_each_point_of_a_report_is_the_status_of_its_instant",
        "test_where_the_history_is_short_there_is_no_line",
    ),
    "check/test_recovering.py": ("test_timeslices_come_back_as_their_bad_ones_leave_the_window",),
    "check/test_several_policies.py": (
        "test_a_fault_of_a_backend_is_never_a_verdict",
        "test_the_worst_verdict_of_two_policies_decides_in_either_order",
    ),
    "check/test_shadow.py": (
        "test_a_shadow_that_is_not_worse_is_shown_to_be_so",
        "test_a_short_time_is_looked_at_in_shorter_steps",
        "test_several_slos_that_cannot_be_compared_are_counted",
        "test_the_figures_are_those_of_the_logs",
        "test_the_worst_of_all_slos_decides_and_is_named",
    ),
    "cli/test_backtest.py": (
        "test_a_class_and_a_requirement_can_be_stated",
        "test_another_policy_stands_beside_it",
        "test_deploys_that_github_has_are_replayed",
        "test_no_deploy_in_the_time_is_no_pass",
        "test_without_deploys_it_asks_every_hour_or_as_often_as_it_is_told",
    ),
    "cli/test_burn_down_on_logs.py": (
        "test_each_cell_of_a_burn_down_is_the_status_of_its_instant",
    ),
    "cli/test_burned.py": (
        "test_the_document_has_the_same_numbers",
        "test_the_draft_of_a_record_names_what_stood_out",
        "test_the_first_line_says_how_much_is_chronic_and_by_which_labels",
        "test_the_report_says_it_too",
    ),
    "cli/test_commands.py": (
        "test_every_copy_is_written_in_its_format_beside_the_report",
        "test_init_writes_a_policy_that_is_sound",
        "test_schema_prints_a_valid_schema_with_descriptions",
    ),
    "cli/test_commit_status.py": ("test_the_status_is_that_of_the_exit_code_and_says_the_verdict",),
    "cli/test_failing_status.py": (
        "test_a_policy_that_cannot_be_read_is_an_error_under_the_name_that_the_commit_has",
    ),
    "cli/test_forecast.py": ("test_a_budget_of_request_logs_is_back_when_its_failures_leave",),
    "cli/test_help.py": (
        "test_every_command_has_quiet_and_color_in_its_help",
        "test_every_environment_variable_that_the_code_reads_is_named_in_some_help",
        "test_every_option_is_in_a_group_and_has_a_sentence_that_says_its_form",
    ),
    "cli/test_label_overrides.py": (
        "test_of_several_policies_each_that_stops_the_change_must_be_overridden",
    ),
    "cli/test_log_text.py": ("test_no_runner_reads_a_command",),
    "cli/test_looking_back.py": (
        "test_a_chart_of_what_never_failed_before_says_that_it_cannot_tell",
        "test_the_incident_is_found_where_it_was",
        "test_the_prompt_that_failed_is_found",
    ),
    "cli/test_output.py": (
        "test_color_goes_before_the_variables",
        "test_the_name_of_the_file_says_the_format",
    ),
    "cli/test_period.py": (
        "test_a_period_that_is_over_has_no_forecast",
        "test_at_the_very_end_of_a_period_it_is_that_one",
        "test_of_windows_of_several_lengths_it_is_the_longest",
    ),
    "cli/test_place.py": ("test_in_a_deploy_each_pull_request_must_be_approved",),
    "cli/test_policy_tests.py": ("test_what_init_writes_passes",),
    "cli/test_presets_command.py": ("test_presets_of_a_policys_own_are_listed_and_shown",),
    "cli/test_publishing.py": (
        "test_a_later_run_or_the_same_job_takes_its_failure_back",
        "test_what_is_no_failure_of_another_leg_stops_nothing",
    ),
    "cli/test_records.py": (
        "test_a_record_with_a_mistake_stops_no_command_that_needs_none",
        "test_an_incident_that_cost_too_little_to_be_shown_can_be_drafted",
        "test_the_records_of_the_policy_explain_without_being_asked_for",
        "test_what_a_check_makes_of_records",
        "test_what_ships_anyway_ships_beside_a_record_with_a_mistake",
        "test_without_the_rule_no_record_stops_a_check",
    ),
    "cli/test_shadow.py": ("test_pairs_in_the_logs_decide_where_the_policy_names_the_id",),
    "cli/test_sweep.py": (
        "test_a_class_that_cannot_be_recognised_waits_and_is_renewed_when_it_can",
        "test_a_limit_that_passes_is_waited_for",
        "test_a_policy_that_changed_takes_effect_at_once",
        "test_a_service_that_was_renamed_leaves_no_success_behind",
        "test_a_success_goes_where_the_budget_is_spent",
        "test_a_verdict_that_is_too_old_is_given_anew_by_the_budget_of_now",
        "test_the_second_sweep_has_nothing_to_do",
        "test_what_still_holds_is_left_alone_and_nothing_is_measured",
        "test_what_the_sweep_is_told_too_is_renewed",
    ),
    "cli/test_watch.py": (
        "test_a_canary_is_held_to_what_was_promised_before_the_change",
        "test_a_command_for_a_rollback_finds_the_report_in_its_environment",
        "test_a_state_of_another_commit_is_not_gone_on_with",
        "test_a_state_that_is_cut_off_or_something_else_is_refused",
        "test_a_trigger_that_was_altered_is_refused",
        "test_an_slo_that_cannot_be_compared_is_refused_and_the_others_are_named",
        "test_logs_that_end_too_soon_end_with_exit_code_3",
        "test_markdown_has_the_numbers_and_a_small_chart",
        "test_recorded_logs_of_a_healthy_canary_end_with_exit_code_0",
        "test_recorded_logs_of_a_worse_canary_end_with_exit_code_10_and_say_why",
        "test_the_command_is_not_run_for_a_healthy_canary",
        "test_to_resume_without_a_file_is_to_begin",
        "test_two_labels_are_grouped_by_both",
        "test_without_a_baseline_the_canary_is_compared_with_the_budget",
    ),
    "cli/test_watch_published.py": ("test_the_exit_code_of_the_watch_is_that_of_its_report",),
    "cli/test_what_was_not_seen.py": (
        "test_a_service_that_is_well_or_sleeps_at_night_is_no_alarm",
        "test_what_the_policy_lets_pass_is_said_and_has_no_tick",
    ),
    "cli/test_written_files.py": ("test_a_link_of_the_checkout_is_never_written_through",),
    "config/test_own_presets.py": (
        "test_a_preset_without_rows_is_none_for_a_log",
        "test_the_gates_own_files_are_presets_a_policy_could_bring_along",
    ),
    "config/test_policy_environment.py": (
        "test_a_variable_is_filled_in_in_a_connection_only_and_no_mistake_shows_it",
        "test_the_runners_own_credentials_are_never_filled_in",
    ),
    "config/test_policy_keys.py": (
        "test_an_unknown_key_names_its_place_and_the_nearest_known_one",
    ),
    "config/test_policy_mutations.py": (
        "test_the_schema_refuses_what_validate_refuses_but_for_what_only_validate_can_know",
        "test_validate_and_check_refuse_the_same_mutants",
    ),
    "config/test_policy_schema.py": (
        "test_the_ready_policies_satisfy_the_schema",
        "test_the_schema_is_a_json_schema",
        "test_what_the_schema_can_see_is_wrong_for_both",
    ),
    "config/test_proposal.py": (
        "test_a_policy_of_a_thousand_slos_is_read_in_time",
        "test_policies_as_people_write_them_are_not_too_large",
    ),
    "config/test_requirements.py": (
        "test_the_ids_of_the_cases_may_be_in_a_file_which_is_part_of_the_policy",
    ),
    "decision/test_reading.py": ("test_it_judges_every_alteration_as_a_validator_does",),
    "decision/test_schema.py": (
        "test_every_kind_of_decision_satisfies_the_schema",
        "test_the_schema_is_a_valid_schema",
    ),
    "doctor/test_planted.py": (
        "test_a_healthy_policy_is_sound_and_says_what_was_looked_at",
        "test_forty_slos_need_less_than_two_queries_each",
        "test_what_is_planted_is_found_and_nothing_else",
    ),
    "doctor/test_server.py": ("test_what_a_server_is_too_old_for_is_named",),
    "evaluations/test_archive.py": ("test_what_unpacks_to_too_much_is_refused",),
    "evaluations/test_damage.py": ("test_the_files_that_are_damaged_are_read_as_they_are",),
    "evaluations/test_honest_files.py": (
        "test_a_case_with_a_success_and_an_error_has_not_passed",
        "test_a_metric_that_is_not_called_like_the_evaluation_is_named",
        "test_a_run_has_the_commit_and_the_time_that_its_tool_has_written",
    ),
    "exporters/test_prometheus_rules.py": (
        "test_alerts_fire_at_the_policys_rates_and_end_with_the_short_window",
        "test_counts_are_added_up_and_ratios_are_those_of_the_counts",
        "test_where_nothing_has_failed_yet_the_errors_are_0_and_not_missing",
        "test_without_traffic_there_is_no_ratio_and_no_alert",
    ),
    "history/charts/test_draw.py": (
        "test_values_are_written_with_three_digits_that_say_something",
    ),
    "history/charts/test_limits.py": (
        "test_chance_alone_passes_a_plain_limit_no_more_than_half_as_often_again",
    ),
    "history/cohorts/test_stratified.py": (
        "test_the_bound_holds_the_ratio_as_often_as_it_should_where_one_side_never_failed",
    ),
    "history/sequential/test_clusters.py": (
        "test_a_day_of_looks_every_minute_overflows_nowhere",
        "test_clusters_accuse_few_canaries_and_clusters_of_a_worse_canary_are_still_seen",
        "test_what_varies_by_chance_is_seldom_taken_for_clusters",
    ),
    "history/sequential/test_excess.py": (
        "test_a_day_of_looks_every_minute_overflows_nowhere",
        "test_at_the_true_average_the_expected_evidence_is_at_most_1",
        "test_the_expected_evidence_against_another_excess_is_more_than_1",
    ),
    "history/sequential/test_oracle.py": ("test_the_evidence_is_about_that_of_a_published_test",),
    "history/sequential/test_verdict.py": (
        "test_a_bad_minute_of_a_canary_that_is_within_the_margin_is_excused",
        "test_a_canary_alone_may_have_the_budget_and_the_margin",
        "test_a_canary_that_is_worse_but_within_the_margin_is_excused",
        "test_a_canary_without_traffic_is_never_within_the_margin",
        "test_an_outage_of_both_leaves_a_canary_within_the_margin",
    ),
    "history/sequential/test_worse.py": (
        "test_a_day_of_looks_every_minute_overflows_nowhere",
        "test_an_excess_of_just_the_margin_keeps_the_expected_evidence_at_most_1",
        "test_without_a_difference_the_expected_evidence_is_at_most_1",
    ),
    "history/test_before_after.py": ("test_where_nothing_changed_a_difference_is_rarely_seen",),
    "history/test_sampled_incidents.py": (
        "test_half_a_percent_is_no_incident_by_day_or_night",
        "test_two_bad_days_are_one_incident_and_not_ten",
    ),
    "history/test_shadow.py": ("test_what_is_shown_follows_from_the_counts",),
    "hosts/test_approvals.py": (
        "test_a_queue_is_asked_about_every_pull_request_that_is_known_of_it",
    ),
    "hosts/test_base.py": ("test_a_base_that_is_named_counts",),
    "hosts/test_comment_failures.py": ("test_a_busy_github_gets_its_pause_and_then_one_comment",),
    "hosts/test_comments.py": (
        "test_a_marker_that_somebody_else_planted_is_left_alone",
        "test_one_comment_is_added_to_250",
        "test_the_comment_is_found_among_250",
    ),
    "hosts/test_cut.py": ("test_no_cut_is_too_long_or_leaves_anything_open",),
    "hosts/test_github_changes.py": ("test_more_commits_than_github_lists_are_not_known",),
    "hosts/test_github_people.py": ("test_the_last_to_set_a_label_is_told_unless_it_was_removed",),
    "hosts/test_gitlab.py": (
        "test_the_real_client_creates_lists_edits_and_deletes_notes_on_the_fake",
        "test_what_is_sent_is_what_the_real_client_sends",
    ),
    "hosts/test_gitlab_changes.py": ("test_more_files_than_gitlab_lists_are_not_known",),
    "hosts/test_label_override.py": ("test_the_reason_is_the_rest_of_a_line_of_a_comment",),
    "hosts/test_open_pulls.py": (
        "test_github_lists_every_open_pull_request_with_drafts_and_forks",
    ),
    "hosts/test_rest.py": (
        "test_a_renamed_repository_is_followed_with_the_same_request",
        "test_no_part_of_the_token_is_left_where_a_long_complaint_is_cut",
    ),
    "hosts/test_shared_comments.py": (
        "test_a_marker_that_somebody_else_pasted_is_left_alone",
        "test_otherwise_the_later_one_counts",
    ),
    "hosts/test_span.py": ("test_settings_of_the_repository_hide_no_file",),
    "policy/test_measurement_rules.py": (
        "test_a_doubt_is_judged_like_what_was_not_measured",
        "test_what_is_not_measured_is_what_the_policy_says_of_its_cause",
    ),
    "policy/test_own_guards.py": (
        "test_a_rule_that_looks_back_asks_each_slo_for_its_own_coverage",
        "test_only_the_slo_whose_own_limit_is_passed_is_stale",
        "test_the_doctor_judges_the_age_by_the_slo_that_needs_the_newest_rows",
    ),
    "policy/test_recognition.py": ("test_what_no_class_covers_is_of_the_default_class",),
    "policy/test_released.py": (
        "test_what_would_be_left_must_be_in_a_tier_that_allows_the_change_exactly",
    ),
    "presets/test_names_live.py": (
        "test_a_histogram_counts_under_each_of_its_names",
        "test_each_name_counts_for_its_part_and_no_event_twice",
        "test_each_name_has_boundaries_of_its_own",
    ),
    "presets/test_preset_files.py": (
        "test_a_file_has_every_kind_with_a_signal_or_the_way_round",
        "test_a_file_says_where_it_is_from",
        "test_every_selector_takes_the_labels_of_the_policy",
        "test_the_threshold_that_is_proposed_is_a_boundary_by_default",
    ),
    "presets/test_presets_shown.py": ("test_every_query_that_is_shown_is_whole",),
    "redaction/test_redaction.py": (
        "test_a_secret_that_a_server_has_cut_off_is_blotted_out",
        "test_a_text_is_cut_after_it_was_redacted",
    ),
    "reporters/test_anomalies.py": (
        "test_a_signal_is_told_with_since_when_how_far_and_by_which_rule",
        "test_foreign_text_cannot_break_out",
        "test_what_is_out_of_control_comes_first_then_what_was",
    ),
    "reporters/test_answers.py": ("test_a_forecast_begins_with_what_becomes_of_each_budget",),
    "reporters/test_drawing.py": ("test_the_status_shows_how_each_budget_came_down",),
    "reporters/test_forecast.py": (
        "test_a_bound_that_is_held_against_the_tiers_is_told_beside_what_was_measured",
        "test_a_budget_that_is_gone_does_not_run_out_again",
        "test_doubts_gaps_and_notes_are_said",
        "test_how_much_may_still_fail_is_said_rounded_down",
        "test_recovery_is_told_as_the_earliest_and_at_the_pace_of_the_last_week",
        "test_the_head_says_what_matters_most",
    ),
    "reporters/test_pages.py": (
        "test_a_new_format_is_one_module_that_writes_the_page_of_every_command",
        "test_a_terminal_without_unicode_gets_ascii_and_ends_its_lines",
        "test_every_command_offers_a_new_format",
    ),
    "reporters/test_report_html.py": (
        "test_a_change_that_was_asked_about_is_told_first",
        "test_a_composite_has_a_burn_down_of_its_own",
        "test_a_line_that_falls_far_leaves_the_picture_at_its_foot",
        "test_a_long_hole_is_named_in_the_picture",
        "test_an_slo_of_ninety_days_takes_less_than_a_twentieth_of_two_megabytes",
        "test_charts_show_what_is_worse_than_usual_and_fold_what_is_not",
        "test_cohorts_are_told_of_where_that_was_asked",
        "test_every_id_is_there_once_and_every_link_and_label_leads_to_one",
        "test_incidents_close_to_each_other_share_a_mark",
        "test_it_is_told_when_a_class_may_ship_again",
        "test_marks_and_holes_are_explained_where_there_are_any",
        "test_of_a_sampled_slo_the_bound_is_drawn_beside_what_was_left",
        "test_of_many_incidents_the_costliest_are_named_and_the_others_summed_up",
        "test_the_page_is_dated",
        "test_what_ate_a_budget_is_drawn_by_the_day_and_told_by_its_causes",
        "test_what_is_known_bad_is_said_although_another_is_not_known",
        "test_where_nothing_is_consumed_there_is_no_such_picture",
        "test_where_only_the_day_before_is_known_the_time_looked_at_is_not",
        "test_without_a_change_each_class_is_told_of",
    ),
    "reporters/test_report_markdown.py": (
        "test_a_change_that_was_asked_about_is_told_first",
        "test_a_chart_of_text_shows_how_it_came_down_and_why",
        "test_hostile_texts_cannot_break_out",
        "test_known_incidents_that_nothing_felt_are_told",
        "test_what_ate_a_budget_is_told_in_a_sentence",
        "test_what_other_commands_say_is_told_too",
        "test_what_was_is_drawn_where_the_budget_is_not_known_now",
    ),
    "reporters/test_review.py": (
        "test_of_twenty_periods_one_may_be_missed",
        "test_what_the_periods_come_to_is_said_in_words",
    ),
    "test_architecture.py": (),
    "test_docs_policy_tests.py": (),
    "test_policies.py": (),
    "test_readme.py": (),
}
"""By module its tests; none: all of them."""

_CHILDREN: Final = "COVERAGE_PROCESS_CONFIG"
"""With this variable each Python that a test starts is traced, too."""


@cache
def _listed(module: Path) -> Sequence[str] | None:
    """Return what the list has of a module."""
    return UNTRACED.get(str(module.relative_to(Path(__file__).parent)))


def is_listed(item: pytest.Item) -> bool:
    """Tell whether the list has a test, or its whole module."""
    tests = _listed(item.path)
    return tests is not None and (not tests or getattr(item, "originalname", item.name) in tests)


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the list names."""
    for item in items:
        if is_listed(item):
            item.add_marker("untraced")


@cache
def _caches() -> Sequence[Any]:
    """Return all of the gate that remembers what it has returned."""
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "gate"]
    classes = [thing for module in modules for thing in vars(module).values() if isclass(thing)]
    things = [thing for holder in (*modules, *classes) for thing in vars(holder).values()]
    return [thing for thing in things if hasattr(thing, "cache_clear")]


class Tracing:
    """Turns the tracing of a run off and on."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._children = os.environ.get(_CHILDREN)
        self._paused = False

    def pause(self) -> None:
        """Trace nothing from now on, in this process and in those that it starts."""
        if not self._paused:
            os.environ.pop(_CHILDREN, None)
            self._coverage.stop()
            self._paused = True

    def resume(self) -> None:
        """Trace again, with nothing remembered that would not be traced again."""
        if self._paused:
            for function in _caches():
                function.cache_clear()
            self._coverage.start()
            if self._children is not None:
                os.environ[_CHILDREN] = self._children
            self._paused = False


def is_worker() -> bool:
    """Tell whether this process runs tests for another, which hands them out."""
    return "PYTEST_XDIST_WORKER" in os.environ


_TRACING: Final = pytest.StashKey[Tracing]()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect the tests without tracing, once everything of the gate has been imported with it."""
    coverage = Coverage.current()
    if coverage is None:
        return (yield)
    if session.config.getoption("dist", "no") != "no" and not is_worker():
        coverage.stop()  # it hands out the tests and takes in the reports, and runs nothing itself
        return (yield)
    for module in pkgutil.walk_packages(gate.__path__, "gate."):
        if not module.name.endswith("__main__"):  # importing it would run the command
            import_module(module.name)
    tracing = Tracing(coverage)
    session.config.stash[_TRACING] = tracing
    tracing.pause()
    try:
        return (yield)
    finally:
        tracing.resume()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Run a test without tracing that has nothing to show; and those after it of which that holds.

    Not one by one: what is remembered has to be forgotten each time that tracing begins again.
    """
    tracing = item.config.stash.get(_TRACING, None)
    if tracing is None:
        return (yield)
    if any(map(item.get_closest_marker, MARKERS)):
        tracing.pause()
    else:
        tracing.resume()
    try:
        return (yield)
    finally:
        if nextitem is None:  # the plugin that reports expects it as it was
            tracing.resume()
