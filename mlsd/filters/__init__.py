"""What must not be shown, by name."""
