"""What rankers read about a candidate."""
