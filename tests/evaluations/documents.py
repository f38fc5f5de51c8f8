"""Files of real tools, with something in them changed."""

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from gate.evaluations import EvaluationRun
from gate.evaluations.reading import read_run
from tests.evaluations.honest import content

Document = dict[str, Any]
Change = Callable[[Any], object]


def changed(
    name: str, change: Change, metric: str | None, score: Fraction | None = None
) -> EvaluationRun:
    """Read a file of JSON after a change of what it says."""
    document = json.loads(content(name))
    change(document)
    return read_run(json.dumps(document).encode(), file_name=name, metric=metric, score=score)
