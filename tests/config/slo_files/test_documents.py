"""How SLOs stand in files: lists, blocks that are shared, keys of other tools, and templates."""

from pathlib import Path

import pytest

from tests.config.slo_files.test_reading import pyrra, sloth
from tests.config.slo_files.writing import assert_refused, imported, only

ERRORS = "sum(rate(e[{{.window}}]))"
TOTAL = "sum(rate(t[{{.window}}]))"
SHARED = f"""\
x-slo: &defaults
  objective: 99.9
  description: Shared.
  alerting: {{page_alert: {{disable: true}}}}
x-sli: &sli {{events: {{error_query: '{ERRORS}', total_query: '{TOTAL}'}}}}
version: prometheus/v1
service: chat
slos:
  - <<: *defaults
    name: first
    sli: *sli
  - <<: [{{sli: *sli, objective: 95}}, *defaults]
    name: second
  - {{name: third, objective: 99, <<: *defaults, sli: {{<<: *sli}}}}
"""


@pytest.mark.parametrize("kind", ["List", "ServiceLevelObjectiveList"])
def test_a_list_of_kubernetes_is_read_item_by_item(tmp_path: Path, kind: str) -> None:
    items = "".join(f"- {pyrra(name)}".replace("\n", "\n  ").rstrip() + "\n" for name in "ab")
    slos = imported(tmp_path, f"apiVersion: v1\nkind: {kind}\nmetadata: {{}}\nitems:\n{items}")

    assert [slo.name for slo in slos] == ["a", "b"]


def test_a_list_without_items_is_refused(tmp_path: Path) -> None:
    assert_refused(
        tmp_path, "apiVersion: ¦v1\nkind: List\nitems: {}\n", "'v1' is not a valid value"
    )


def test_what_a_resource_has_for_kubernetes_is_passed_over(tmp_path: Path) -> None:
    metadata = "{name: a, namespace: b, annotations: {c: d}, labels: {e: f}, uid: '1'}"
    text = pyrra("a").replace("{name: a}", metadata) + "status: {type: PrometheusRule}\n"

    assert only(tmp_path, text).name == "a"


def test_blocks_that_are_shared_and_keys_of_other_tools_are_read(tmp_path: Path) -> None:
    slos = imported(tmp_path, SHARED)

    assert [(slo.name, str(getattr(slo, "objective", ""))) for slo in slos] == [
        ("chat-first", "999/1000"),
        ("chat-second", "19/20"),
        ("chat-third", "99/100"),
    ]


@pytest.mark.parametrize(
    ("merge", "words"),
    [
        ("<<: ¦5", "<< takes a block of keys or a list of them, not a single value"),
        ("<<: [¦a]", "<< takes a block of keys or a list of them, not a single value"),
        ("<<: {¦nonsense: 1}", "unknown key 'nonsense'"),
    ],
)
def test_what_cannot_be_shared_is_refused_at_its_place(
    tmp_path: Path, merge: str, words: str
) -> None:
    assert_refused(tmp_path, sloth("a").replace("service:", f"{merge}\nservice:"), words)


def test_blocks_that_share_each_other_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    doubled = "".join(f"  - &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60))
    circle = f"x-all:\n  - &a0 {{<<: *a0}}\n{doubled}"
    text = circle + sloth("a").replace("service:", "<<: *a59\nservice:")

    assert only(tmp_path, text).name == "chat-a"


def test_a_key_that_only_begins_like_that_of_another_tool_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, f"¦extra: 1\n{sloth('a')}", "unknown key 'extra'")
    assert_refused(tmp_path, sloth("a").replace("{name", "{¦x-a: 1, name"), "unknown key 'x-a'")


@pytest.mark.parametrize(
    "template",
    [
        "labels: {region: ¦{{ .Values.region }}}",
        "¦{{- if .Values.region }}",
        'labels: {team: ¦{{ include "team" . }}}',
        "labels: {team: ¦{{ $.Release.Name | quote }}}",
        "description: ¦{{`{{.window}}`}}",
    ],
)
def test_a_template_of_helm_is_refused_as_what_it_is(tmp_path: Path, template: str) -> None:
    marked = sloth("a").replace("service:", f"{template}\nservice:")
    assert_refused(tmp_path, marked, "this is a template, not an SLO file; write what `helm")


def test_a_template_of_an_alert_is_none_of_helm(tmp_path: Path) -> None:
    alert = "x-alert: '{{ $labels.pod }} {{ if gt $value 1.0 }}{{ .Labels.a }}{{ end }}'"

    assert only(tmp_path, f"{alert}\n{sloth('a')}").name == "chat-a"


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("sum(¦rate(e[5m]))", "plain"),
        ("'sum(¦rate(e{a=''b''}[5m]))'", "single quotes"),
        ('"sum(¦rate(e{a=\\"b\\"}[5m]))"', "double quotes"),
        ("|\n          sum(\n            ¦rate(e[5m])\n          )", "lines"),
        (">-\n          sum(\n          ¦rate(e[5m]))", "folded lines"),
        ("sum by (a)\n          (¦rate(e[5m]))", "plain lines"),
        ("sum(rate(e[{{ .window }}])) + sum(¦rate(e[5m]))", "after a window"),
    ],
)
def test_a_mistake_in_a_query_is_reported_at_its_place_in_the_file(
    tmp_path: Path, written: str, style: str
) -> None:
    text = f"""\
version: prometheus/v1
service: chat
slos:
  - name: {style}
    objective: 99.9
    sli:
      events:
        total_query: '{TOTAL}'
        error_query: {written}
"""
    assert_refused(tmp_path, text, "is over 5m, not over the window; write [")


def test_a_mistake_that_is_not_found_again_is_reported_where_its_value_begins(
    tmp_path: Path,
) -> None:
    escaped = '¦"s\\x75m(rate(e[5m]))"'
    marked = sloth("a").replace("'rate(e[{{.window}}])'", escaped)

    assert_refused(tmp_path, marked, "`rate(e[5m])` is over 5m, not over the window")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "apiVersion: ¦openslo.com/v2alpha\nkind: SLO\n",
            "'openslo.com/v2alpha' is not read; write it as openslo/v1",
        ),
        (
            "apiVersion: ¦monitoring.coreos.com/v1\nkind: PrometheusRule\n",
            "'monitoring.coreos.com/v1' has rules and no SLOs; name the file",
        ),
        (
            "¦service_name: chat\nslo_name: errors\nslo_target: 0.99\n",
            "this is a file of slo-generator 1; write it as sre.google.com/v2: `slo-generator"
            " migrate`",
        ),
    ],
)
def test_what_people_have_beside_such_files_is_refused_with_what_to_write(
    tmp_path: Path, text: str, words: str
) -> None:
    assert_refused(tmp_path, text, words)
