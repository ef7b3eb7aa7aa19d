"""How slates are chosen so that they are relevant and not all alike."""
