"""The files of other vendors as Noria's importer makes them."""

from __future__ import annotations

import re

from noria.design.importing import import_file

_ENDING = re.compile(r"(\.bpmn20)?\.(xml|bpmn|dmn)$")


def imported(name: str, data: bytes) -> dict[str, bytes]:
    """What a file becomes: content by file name, generated forms among it. What is no model stays as it is."""
    made = import_file(data, name)
    ending = ".dmn" if name.endswith(".dmn") else ".bpmn"
    return {_ENDING.sub("", name) + ending: made.document or data, **made.forms}
