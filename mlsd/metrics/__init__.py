"""How well candidates are ordered and responses predicted."""
