"""Code hosts, CI systems and git: what they know of a change, and what they show of it."""
