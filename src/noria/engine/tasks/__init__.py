"""Human-task patterns: the approval verbs as commands of the pure engine."""
