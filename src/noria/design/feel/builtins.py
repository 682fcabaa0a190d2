"""The library of FEEL functions, collected from its families."""

from __future__ import annotations

from noria.design.feel import (
    builtins_camunda,
    builtins_contexts,
    builtins_conversion,
    builtins_lists,
    builtins_numbers,
    builtins_ranges,
    builtins_strings,
    builtins_temporal,
)
from noria.design.feel.library import LIBRARY

__all__ = ["FAMILIES", "LIBRARY", "LIBRARY_NAMES"]

FAMILIES = (
    builtins_conversion,
    builtins_strings,
    builtins_numbers,
    builtins_lists,
    builtins_contexts,
    builtins_temporal,
    builtins_ranges,
    builtins_camunda,
)
LIBRARY_NAMES = tuple(LIBRARY)
