"""Named features, computed together."""
