"""What is promised and what was counted: objectives, windows, indicators and counts. Pure."""
