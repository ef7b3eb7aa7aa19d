"""How users go down a slate, by name: `pbm` and others to come."""
