"""The gate with one more line in its registry: ``python -m tests.backends.toy check gate.yaml``."""

import sys
from typing import cast

from gate.backends import BACKENDS
from gate.cli.main import run
from tests.backends.toy import REGISTERED
from tests.command import present_in

cast("dict[str, str]", BACKENDS).update(REGISTERED)
with present_in(sys.argv[1:]):
    run()
