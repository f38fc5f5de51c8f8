"""Usual mistakes in a first policy, and the first line of gate validate's answer."""

from pathlib import Path

import pytest
import yaml

from tests.command import gate
from tests.config.texts import (
    BACKEND,
    HEAD,
    SLOS,
    TIERS,
    assert_mistake,
    assert_warning,
    policy,
    slo,
)

TTFT = "preset: vllm/time-to-first-token, threshold: "
INDICATORS = (
    "vllm/errors, vllm/availability, vllm/latency, vllm/time-to-first-token,"
    " vllm/inter-token-latency, vllm/degenerate-output, vllm/spend, vllm/inference-failures"
)


def sli(text: str) -> str:
    return policy(slos=slo("objective: 99.9%", "window: 30d", f"sli: {text}"))


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            policy(slos="slos:\n  - ¦{name: a, objective: 99.9%, window: 30d}\n"),
            "a: the key 'sli' is missing; add sli: {preset: vllm/errors}, or {bad: ..., total:"
            " ...}",
        ),
        (
            policy(
                backend="backend: {type: logs, path: a.csv, timestamp: t}\n",
                slos="slos:\n  - ¦{name: a, objective: 99.9%, window: 30d}\n",
            ),
            "a: the key 'sli' is missing; add sli: {bad: status >= 500}, or {column: latency_ms,"
            " threshold: 2500}",
        ),
        (sli("{preset: ¦vllm}"), f"the indicator is missing; write one of: {INDICATORS}"),
        (sli("{preset: ¦vllm/error}"), "vllm has no indicator 'error'; did you mean 'errors'?"),
        (sli("{preset: ¦vllm/zzz}"), f"vllm has no indicator 'zzz'; it has: {INDICATORS}"),
        (sli("{preset: ¦vllm:errors}"), "there is no preset 'vllm:errors'; write vllm/errors"),
        (
            sli("{preset: ¦errors}"),
            "there is no preset 'errors'; write a server and an indicator, such as vllm/errors"
            " (gate presets lists all)",
        ),
        (sli("{preset: ¦vlm/errors}"), "there is no preset 'vlm'; did you mean 'vllm'?"),
        (
            sli(f"{{{TTFT}¦2500}}"),
            "2500 has no unit; write a duration such as 2.5s or 2500ms",
        ),
        (sli(f"{{{TTFT}¦0.5}}"), "0.5 has no unit; write a duration such as 0.5s or 500ms"),
        (sli(f"{{{TTFT}¦2}}"), "2 has no unit; write a duration such as 2s or 2ms"),
        (
            sli(f"{{{TTFT}¦fast}}"),
            "'fast' is not a valid threshold; write a duration such as 2.5s, or a number",
        ),
        (
            sli('{bad: ¦"sum(increase(x[30d]))", total: y}'),
            "availability: bad: [30d] is a fixed window; write [$window], the window of the SLO",
        ),
        (
            sli("{histogram: ¦'e_seconds{', threshold: 1s}")
            .replace("- name", "- ¦name", 1)
            .replace("¦'e", "'e"),
            "availability: a closing } is missing",
        ),
        (
            sli("¦vllm/errors"),
            "expected a block of keys, not a single value; write sli: {preset: vllm/errors}",
        ),
        (
            policy(tiers=TIERS.replace("[security-patch, rollback]", "¦security-patch")),
            "'security-patch' is not all or none; write classes as a list: [security-patch]",
        ),
        (
            policy(more="owners: ¦'@acme/x'\n"),
            'expected a list, not a single value; write owners: ["@acme/x"]',
        ),
        (
            policy(head="version: ¦2\nservice: a\nnovel: 1\n"),
            "gate 0.1.0 reads version 1; this file is for a newer gate: update gate, or write"
            " version: 1",
        ),
        (
            policy(slos=slo("objective: ¦999%", "window: 1d")),
            "999% is not above 0% and below 100%; write for example 99.9%",
        ),
        (
            policy(slos=slo("objective: 99%", "window: ¦30 days")),
            "'30 days' is not a valid duration; write 30d",
        ),
        (
            policy(slos=slo("objective: 99%", "window: ¦monthly")),
            "'monthly' is not a valid duration; write for example 30d, 6h, 5m, 1h30m or 250ms, or"
            " {calendar: month} for a calendar period",
        ),
        (
            policy(more="Owners¦: [a]\n").replace("Owners¦", "¦Owners"),
            "unknown key 'Owners'; did you mean 'owners'?",
        ),
        (policy(more="¦types: {}\n"), "unknown key 'types'; did you mean 'tiers'?"),
        (
            policy(backend='backend: {type: prometheus, url: ¦"http://p:9090/api/v1/query"}\n'),
            "url is the part before /api/v1; remove /api/v1/query from its end",
        ),
        (
            policy(backend='backend: {type: prometheus, url: ¦"http://p:9090/graph"}\n'),
            "url is the part before /api/v1; remove /graph from its end",
        ),
        (
            policy(backend='backend: {type: prometheus, url: ¦"localhost:9090"}\n'),
            "the url has no http:// or https://; write http://localhost:9090",
        ),
        (
            policy(more='changes: {prompt-update: ¦"prompts/**"}\n'),
            "expected a block of keys, not a single value; write prompt-update: {paths:"
            ' ["prompts/**"]}',
        ),
        (
            policy(tiers=TIERS.replace("allow: all", "allow: [¦all]")),
            "'all' is not a change class; write allow: all",
        ),
        (policy(more="¦require: [a]\n"), "unknown key 'require'; it belongs in an entry of tiers"),
        (policy(more="¦url: http://x\n"), "unknown key 'url'; it belongs in the block backend"),
        (
            policy(more="¦timeout: 30s\n"),
            "unknown key 'timeout'; the time limit is an option of the command, not a key",
        ),
    ],
)
def test_a_mistake_says_what_to_write(marked: str, message: str) -> None:
    assert_mistake(marked, message)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("owners: [¦@acme/x]\n", 'put @acme/x in quotes: "@acme/x"'),
        ("owners: [¦`x`]\n", 'put `x` in quotes: "`x`"'),
        ("a: {b: ¦${URL}}\n", 'put ${URL} in quotes: "${URL}"'),
        (
            "a: {b: ¦https://${HOST}:9090, c: d}\n",
            'put https://${HOST}:9090 in quotes: "https://${HOST}:9090"',
        ),
        (
            "a: ¦*.yaml\n",
            'YAML reads *.yaml as an alias, which is not defined; put *.yaml in quotes: "*.yaml"',
        ),
        (
            "version: 1\n¦service:chat\nb: c\n",
            "a space is missing after the colon; write service: chat",
        ),
        ("¦service:chat\nb: c\n", "a space is missing after the colon; write service: chat"),
        ("a: b\n¦nothing\n", "this line has no colon; a key is written as key: value"),
        ("a: b¦: c\n", "the value contains a colon and a space; put the value in quotes"),
        (
            "a: b\n  c¦: d\n",
            "this line is indented further than the keys around it; keys of a block"
            " begin in the same column",
        ),
        ("a:\n  - ¦{b: c, d: {e: f}\n  - {g: h}\n", "this { is never closed; add the missing }"),
        ("a: ¦[b\n", "this [ is never closed; add the missing ]"),
        (
            "a: {b: c d¦: e}\n",
            "expected a comma or the closing bracket here; separate entries by"
            " commas, and put text with a colon, comma, bracket or brace in quotes",
        ),
        ("a: ¦[b, c}\n", "this [ is never closed; add the missing ]"),
        (
            'a: {u: "${X}", b: c d¦: e}\n',
            "expected a comma or the closing bracket here; separate entries by commas, and put text"
            " with a colon, comma, bracket or brace in quotes",
        ),
        ("a: ¦'b\n", "this quote is never closed"),
        ('a: [¦"@b, "@c"]\n', 'this quote is never closed; add the missing "'),
        ('a: [¦"b]\nc: "d"\n', 'this quote is never closed; add the missing "'),
        ("a:\n  - b: c\n¦\td: e\n", "use spaces, not tabs"),
        ('a: "¦\\d"\n', "a backslash in double quotes begins an escape; use single quotes"),
        ("a: {b: c}¦}\n", "this } belongs to no list or block; remove it"),
        (
            "a: 'it'¦s'\n",
            "text follows a finished value; put the whole value in one pair of quotes",
        ),
        (
            "a:\n  b: c\n ¦d: e\n",
            "the indentation does not fit; keys of a block begin in the same column",
        ),
        (
            "a:\n  - b\n  ¦c: d\n",
            "the indentation does not fit; entries of a list begin with - in the same column",
        ),
        ("a: |¦x\n", "while scanning a block scalar, did not find expected comment or line break"),
    ],
)
def test_yaml_that_does_not_parse_is_explained_where_it_is_wrong(marked: str, message: str) -> None:
    assert_mistake(marked, f"not valid YAML: {message}")


def test_the_parser_in_python_is_explained_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    assert_mistake("owners: [¦@a/b]\n", 'not valid YAML: put @a/b in quotes: "@a/b"')
    assert_mistake(
        "a: ¦* b\n",
        'not valid YAML: YAML reads * as an alias, which is not defined; put * in quotes: "*"',
    )


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            policy(head="version: 1\nservice: ¦yes\n"),
            'yes looks like a truth value and is read as a name; put it in quotes: "yes"',
        ),
        (
            policy(head="version: 1\nservice: ¦42\n"),
            '42 looks like a number and is read as a name; put it in quotes: "42"',
        ),
        (
            sli("{preset: vllm/errors, labels: ¦{modell_name: a}}"),
            "vLLM has no label 'modell_name'; did you mean 'model_name'?",
        ),
        (
            policy(
                tiers="tiers:\n  - {name: rest, otherwise: true, allow: [rollback]}\n",
                more="changes: {¦canary: {paths: [a]}}\n",
            ),
            "no tier allows canary, so that it never ships; add it to the allow of a tier",
        ),
    ],
)
def test_what_is_most_likely_a_slip_draws_a_warning(marked: str, message: str) -> None:
    assert_warning(marked, message)


def test_a_variable_that_is_not_set_is_a_warning_that_says_who_needs_it(tmp_path: Path) -> None:
    text = HEAD + BACKEND.replace("http://prometheus:9090", "${NO_SUCH_URL}") + SLOS + TIERS
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")

    done = gate("validate", "gate.yaml", cwd=tmp_path)

    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        0,
        "gate.yaml:3:34: warning: the environment variable NO_SUCH_URL is not set; gate check needs"
        " it",
    )
