"""Monitor: metrics and boards as folds over the recorded events."""
