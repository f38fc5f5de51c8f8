"""The promises and the counts: objectives, windows, indicators and counts. Pure."""
