"""The comparison of finished runs as a page and on the terminal."""
