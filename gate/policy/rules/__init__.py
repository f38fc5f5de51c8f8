"""The rules of a policy: one module for each, with a function from a `Case` to its findings."""
