"""Command line: everything useful without a server too."""
