"""Benchmarks: a question, arms that answer it differently, seeds, and the figure that decides."""
