"""The rules of a policy: one module each, with one function from a `Case` to its findings."""
