"""Noria (筒车): business process management as one closed loop, design → run → watch → analyse → improve.

The packages are the words of the loop; `docs/explanation/architecture.md` says which may import which.
"""

__version__ = "0.1.0"
