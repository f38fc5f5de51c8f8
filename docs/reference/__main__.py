"""Writes every generated page."""

from docs.reference import commands, policy, troubleshooting

for page in (policy, commands, troubleshooting):
    page.main()
