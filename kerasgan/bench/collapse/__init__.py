"""The exam of the collapse detector: stored histories of runs, and what it says of them."""
