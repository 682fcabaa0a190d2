"""Trust: people and units, permissions, sign-in, audit records and their proofs."""
