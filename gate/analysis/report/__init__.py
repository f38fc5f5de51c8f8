"""``gate report``: the past of every budget on one page."""
