"""The composition root: the only package that knows every adapter."""

from noria.bootstrap.commands import Composition, main
from noria.bootstrap.running import PEERS, TENANT, Noria

__all__ = ["PEERS", "TENANT", "Composition", "Noria", "main"]
