"""GitLab's annotations report: links on the job's page.

https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations
"""

import json

from gate.decision.decision import Decision
from gate.reporters import summary
from gate.reporters.ansi import Style
from gate.reporters.escape import plain


def render(decision: Decision, _style: Style) -> str:
    """Return a link to each policy's dashboard, with the verdict in its label."""
    links = [
        {
            "external_link": {
                "label": plain(
                    f"{summary.verdict_word(decided.verdict, decision)} {summary.subject(decided)}"
                ),
                "url": decided.policy.dashboard,
            }
        }
        for decided in decision.policies
        if decided.policy.dashboard
    ]
    return json.dumps({"gate": links}, indent=2, allow_nan=False) + "\n"
