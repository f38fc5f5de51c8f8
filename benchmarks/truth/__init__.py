"""A mutation test of truth: histories whose events are known, and what the gate makes of them."""
