"""The exam of the collapse detector: its verdicts on stored histories of runs."""
