"""How campaigns spend their daily budgets: when they bid, how much, and what they are charged."""
