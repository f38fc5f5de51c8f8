"""The change classes that every policy knows; a policy may define more."""

from typing import Final

BUILT_IN: Final = {
    "canary": "a small share of traffic meets the change first",
    "full-rollout": "all of the traffic meets the change",
    "model-update": "another model, or other weights",
    "prompt-update": "another prompt or prompt template",
    "config-change": "other settings of the same code and model",
    "experiment": "a change that may be thrown away again",
    "bug-fix": "mends a fault that users have",
    "reliability-fix": "makes failures fewer or shorter",
    "security-patch": "closes a hole",
    "rollback": "back to what ran before",
}
DEFAULT: Final = "full-rollout"
"""What a change is when nothing says otherwise: the class that the fewest tiers allow."""
ROLLBACK: Final = "rollback"
"""The class that a gate must not forbid: that would prolong the outage."""
REPAIRS: Final = frozenset({"bug-fix", "reliability-fix", "security-patch", "rollback"})
"""Classes that a fast burn does not stop by default: they may be what ends it."""
