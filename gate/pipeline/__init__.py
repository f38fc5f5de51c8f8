"""The run: read the policies, measure, assess, judge. Knows every room below and no terminal."""
