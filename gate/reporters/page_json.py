"""The document of a result, for programs."""

import json
from io import StringIO

from gate.reporters.ansi import Style
from gate.reporters.page import Output


def render(output: Output, _style: Style) -> str:
    """Return the document as JSON, indented."""
    text = StringIO()
    # Written piece by piece: a list of all pieces takes several times the memory of the text.
    # ASCII, so that no console encoding and no lone surrogate in a file name can break it.
    json.dump(output.document(), text, indent=2, allow_nan=False)
    text.write("\n")
    return text.getvalue()
