"""Readers of public data formats, one format a file."""
