"""What people remember of what they saw."""
