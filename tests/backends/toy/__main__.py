"""The gate with one more line in its registry: ``python -m tests.backends.toy check gate.yaml``."""

from typing import cast

from gate.backends import BACKENDS
from gate.cli.main import run
from tests.backends.toy import REGISTERED

cast("dict[str, str]", BACKENDS).update(REGISTERED)
run()
