"""How times and numbers are written where a template says nothing of it."""
