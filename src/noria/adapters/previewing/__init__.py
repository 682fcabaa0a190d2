"""Pages of uploaded files as pictures."""
