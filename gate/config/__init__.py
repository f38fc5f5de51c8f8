"""Read a policy from its files, and collect every mistake at once, each with its place."""
