"""Candidate sources of feeds: items that are there when a request is made, and not too old."""
