"""The command line: options in, exit code out. Each command is a module, imported when it runs."""
