"""``gate doctor``: whether a count can be trusted."""
