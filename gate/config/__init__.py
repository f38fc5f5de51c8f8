"""From files that people write to the policy: every mistake found at once, each with its place."""
