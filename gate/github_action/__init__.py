"""The runtime of the GitHub Action that action.yml describes."""
