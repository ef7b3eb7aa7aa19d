"""Who comes when, what a moment is called, and what users remember of it."""
