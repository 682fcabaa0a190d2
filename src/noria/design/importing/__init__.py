"""Reading the files of other vendors: their extensions become Noria's, and a report says what became of each."""

from noria.design.importing.decisions import import_dmn
from noria.design.importing.importer import import_bpmn
from noria.design.importing.report import Imported, Outcome, ReportLine

__all__ = ["Imported", "Outcome", "ReportLine", "import_bpmn", "import_dmn", "import_file"]


def import_file(content: bytes, file: str) -> Imported:
    """Import a BPMN or a DMN file; its name's ending says which."""
    return import_dmn(content, file) if file.lower().endswith(".dmn") else import_bpmn(content, file)
