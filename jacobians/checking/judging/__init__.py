"""Whether an entry is right, wrong, or cannot be told."""
