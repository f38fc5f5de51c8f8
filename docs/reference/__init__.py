"""The pages of docs/ that are generated: `make docs` writes them, and tests hold them equal."""
