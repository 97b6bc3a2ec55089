"""What went wrong, and what happened."""
