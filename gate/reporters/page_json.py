"""The document of a result, for programs."""

import json

from gate.reporters.ansi import Style
from gate.reporters.page import Output


def render(output: Output, _style: Style) -> str:
    """Return the document as JSON, indented."""
    # ASCII, so that neither a console's encoding nor a lone surrogate in a file name can break it.
    return json.dumps(output.document(), indent=2, allow_nan=False) + "\n"
