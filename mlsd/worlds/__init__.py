"""Where requests and responses come from."""
