"""Deterministic simulation: the real engine and the real shell on one seeded scheduler, with faults in every place.

`world.py` runs one seed; `invariants.py` says what must hold; `mutants.py` shows that it would be noticed if it did
not. `python -m tests.simulation SEED` replays a seed with its trace.
"""
