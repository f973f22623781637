"""The benchmarks of mode collapse in the literature, with one protocol for all methods."""
