"""One run of the gate: measure, assess, judge."""
