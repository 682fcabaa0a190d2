"""Writing models for other tools: what Noria says in words of its own, in those of plain BPMN 2.0."""

from noria.design.exporting.plain import Plain, export_plain, sentence

__all__ = ["Plain", "export_plain", "sentence"]
