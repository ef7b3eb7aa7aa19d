"""How judgements and actions become training labels."""
