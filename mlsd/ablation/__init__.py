"""What each part of a funnel is worth: the funnel without it, on the same requests."""
