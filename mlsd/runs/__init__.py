"""The steps of a run, and what it leaves behind."""
