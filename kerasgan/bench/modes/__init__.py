"""The mode-collapse benchmarks of the literature, rerun on one footing."""
