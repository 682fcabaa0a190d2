"""The way between engine processes."""
