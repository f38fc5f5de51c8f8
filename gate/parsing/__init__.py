"""Text that people write, read as checked values: every mistake with its place."""
