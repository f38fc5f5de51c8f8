"""Text that people write, read into checked values: every mistake with its place."""
