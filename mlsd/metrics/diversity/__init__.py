"""What metrics of diversity read."""
