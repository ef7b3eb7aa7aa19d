"""Find candidates in the whole catalog."""
