"""The commands of `mlsd`, one a file. Each is loaded when it is called."""
