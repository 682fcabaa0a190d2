"""Deterministic simulation: the real engine and the real shell on one seeded scheduler, with faults in every place.

`world.py` runs one seed; `invariants.py` says what must hold; `mutants.py` shows that it would be noticed if it did
not. `noria sim --seed N` replays a seed with its trace, `--shrink FILE` makes a failing one small.

It is a test of Noria's own promises that reaches into its private parts and plants faults there, so it is not part of
the installed package.
"""
