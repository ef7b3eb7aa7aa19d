"""The networks inside rankers and retrievers."""
