"""SLO files of other tools, read as SLOs of the policy.

A new format is a module with a ``read_document`` and a line here. A module is imported only when a
file says that it is of this format.
"""

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "openslo/v1": "gate.config.slo_files.openslo",
    "prometheus/v1": "gate.config.slo_files.sloth",
    "sloth.slok.dev/v1": "gate.config.slo_files.sloth",
    "pyrra.dev/v1alpha1": "gate.config.slo_files.pyrra",
    "sre.google.com/v2": "gate.config.slo_files.slo_generator",
}
"""The module that reads what a document says it is, as ``apiVersion`` or, in Sloth, ``version``."""
