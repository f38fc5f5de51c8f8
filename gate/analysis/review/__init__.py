"""``gate review``: whether objectives fit what was reached."""
