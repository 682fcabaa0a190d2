"""One file per behaviour: what happens when a token reaches an element of that kind. They do not import each other."""
