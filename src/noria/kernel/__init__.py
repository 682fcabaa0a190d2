"""Shared words: instants, working calendars, the error base. Pure: no IO, no clock, no randomness."""
