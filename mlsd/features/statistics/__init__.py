"""Features of behaviour: what happened before the day of a request."""
