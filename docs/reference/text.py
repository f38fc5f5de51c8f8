"""How the generated pages are wrapped."""

from textwrap import fill


def filled(paragraph: str) -> str:
    """Return a paragraph in lines of 120 characters at most, where its words allow it."""
    return fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)
