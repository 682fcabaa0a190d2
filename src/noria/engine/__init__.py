"""Engine: the two pure functions `decide` and `evolve`, and the values between them. No IO, no clock, no randomness."""
