"""What is being designed."""
