"""One folder for each question about the past or the future of a budget."""
