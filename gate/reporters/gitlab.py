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
                    f"{summary.verdict_word(one.verdict, decision)} {summary.subject(one)}"
                ),
                "url": one.policy.dashboard,
            }
        }
        for one in decision.policies
        if one.policy.dashboard
    ]
    return json.dumps({"gate": links}, indent=2, allow_nan=False) + "\n"
