"""Shared words: instants, working calendars, the error base, canonical encoding. Pure: no IO, no clock, no randomness."""
