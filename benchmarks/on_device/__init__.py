"""What `gpu.py` measures, and the processes that measure it."""
