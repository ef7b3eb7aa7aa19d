"""Estimates from logs and experiments, with their intervals."""
