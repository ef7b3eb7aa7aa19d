"""People who are paid to grade pairs of a request and an item: who they are, what they see, what it costs."""
