"""The benchmarks of `kerasgan bench`."""
