"""Features of words: what a query says, and how it meets an item's title and text."""
