"""What depends on the place where the gate runs: CI systems, git, and code hosts' APIs."""
