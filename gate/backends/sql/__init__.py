"""The parts that all backends share that count rows with SQL."""
