"""What makes of a query's text one that serves better."""
