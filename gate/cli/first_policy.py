"""The text of a first policy: a backend block, a preset's indicators and rules; and its cases."""

from collections.abc import Callable, Mapping
from typing import Final

from gate.backends import Starter
from gate.config.preset import EVALUATION, KINDS, Preset, PresetIndicator
from gate.config.presets import load_preset

HEAD: Final = """\
# Which changes may ship at which error budget. Check this file with: gate validate THIS_FILE
version: 1
service: $service
owners: ["@my-org/my-team"]   # who a blocked team should ask

"""


def _slos(*slos: str) -> str:
    return "slos:\n" + "".join(slos)


def _availability(sli: str) -> str:
    return f"""\
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
{sli}"""


def _judged(sli: str) -> str:
    return f"""\
  - name: quality
    objective: 98%            # of the answers that were judged
    window: 30d
    sampled: true             # judge by a 95% interval
    sli:
{sli}"""


def _latency(sli: str) -> str:
    return f"""\
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
{sli}"""


def _uptime(sli: str) -> str:
    return f"""\
  - name: uptime
    objective: 99.9%          # of all minutes
    window: 30d
    sli:
{sli}"""


def _allowance(sli: str) -> str:
    return f"""\
  - name: allowance
    allowance: "10"           # the amount, or the number of events, that may be spent
    window: 30d
    sli:
{sli}"""


_BY_ROLE: Final = {"gauge": _uptime, "spent": _allowance}
"""The entries of an SLO whose indicator is not a count of events."""
_STARTERS: Final[Mapping[Callable[[str], str], tuple[str, ...]]] = {
    _availability: ("errors",),
    _latency: ("time-to-first-token", "latency"),
    _judged: (EVALUATION, *KINDS),
}
"""The entries of an SLO, by the kinds of indicator that it can have, the best kind first."""


def slos_of(server: str, own: Preset | None = None) -> str:
    """Return the ``slos`` block for a preset: its errors and latency, or else a judged quality."""
    preset = own or load_preset(server)
    indicators = preset.indicators
    described = {
        describe: kind
        for describe, kinds in _STARTERS.items()
        for kind in kinds[::-1]
        if indicators[kind].families
    }
    if len(described) > 1:
        described.pop(_judged, None)
    return _slos(
        *(
            _describe(describe, indicators[kind])(_of_preset(server, preset, kind))
            for describe, kind in described.items()
        )
    )


def _describe(describe: Callable[[str], str], indicator: PresetIndicator) -> Callable[[str], str]:
    roles = indicator.families[0].expressions.keys()
    return next((_BY_ROLE[role] for role in _BY_ROLE if role in roles), describe)


def _of_preset(server: str, preset: Preset, kind: str) -> str:
    indicator = preset.indicators[kind]
    lines = [f"preset: {server}/{kind}"]
    if indicator.threshold is not None:
        lines.append(f"threshold: {indicator.threshold}")
    labels = (*preset.requires, *indicator.requires)
    options = [
        f"{key}: {option.usual(key)}"
        for key, option in indicator.options.items()
        if option.default is None
    ]
    if options:
        lines.append(f"options: {{{', '.join(options)}}}   # see gate presets show {server}/{kind}")
    if labels:
        lines.append(f"labels: {{{', '.join(f'{label}: my-{label}' for label in labels)}}}")
    return "".join(f"      {line}\n" for line in lines)


def block_of(starter: Starter, server: str | None, own: Preset | None = None) -> str:
    """Return the ``backend`` block; it names a preset that describes rows."""
    if server is None or (own or load_preset(server)).records is None:
        return starter.block
    # A value there with a dollar sign is filled in with the whole policy.
    return starter.block_for_preset.replace("$preset", server)


_BURN_RATES: Final = """\
# burn_rates: google-30d      # also stop while the budget burns fast right now

"""
_TIERS: Final = """
tiers:                        # by the worst remaining budget; the first that applies counts
  - {name: healthy, remaining: "> 50%", allow: all}
  - name: caution
    remaining: "> 10%"
    allow: [canary, config-change, bug-fix, reliability-fix, security-patch, rollback]
  - name: exhausted
    otherwise: true
    allow: [security-patch, rollback]

"""
_ON: Final = """\
on:                           # what cannot be measured must not pass; the defaults, plus except
  no_data: block
  stale: block
  partial: block
  backend_error: block
  low_traffic: warn
  low_coverage: warn
  except: [rollback]          # added here: rollback ships even if nothing could be measured
"""


def rules_of(starter: Starter) -> str:
    """Return the rules, with burn rates if the backend can count their windows."""
    return _TIERS + (_BURN_RATES if starter.burn_rates else "") + _ON


CASES: Final = """\
# Expected decisions of the policy. Run them with: gate test POLICY
version: 1
at: 2026-11-20T14:00:00Z      # the time of every case that does not state its own
cases:
  - name: a canary ships while every budget is full
    change: canary
    expect: {verdict: allow, tier: healthy}

  - name: only security patches and rollbacks ship when a budget is gone
    change: full-rollout
    others: {remaining: 0%}   # of every SLO that the case does not name under slos
    expect:
      verdict: block
      tier: exhausted
      allowed_now: [security-patch, rollback]

  - name: what is not measured does not pass
    change: full-rollout
    others: {unmeasured: no_data}
    expect: {verdict: undecided, allowed_now: [rollback]}
"""
"""The file of cases beside the policy; it expects the rules of `rules_of`."""
