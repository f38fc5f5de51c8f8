"""The parts shared by all backends that count rows with SQL."""
