"""Simulated online experiments."""
