"""Trouble: a behaviour cannot go on."""

from __future__ import annotations

from noria.kernel.errors import NoriaError


class Trouble(NoriaError):
    """A behaviour cannot go on; becomes an incident on its token, never an exception of the step.

    Attributes:
        trouble_code: the incident's code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.trouble_code = code
