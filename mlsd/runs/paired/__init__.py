"""Finished runs held against each other, request by request."""
