"""Writes every generated page."""

from docs.reference import policy

for page in (policy,):
    page.main()
