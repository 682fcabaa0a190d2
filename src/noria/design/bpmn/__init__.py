"""BPMN 2.0: read through the guarded door, validate, compile to an executable graph, write back without loss."""

from noria.design.bpmn.compiling import compile_bpmn
from noria.design.bpmn.reading import read_bpmn, write_bpmn
from noria.design.bpmn.source import BpmnFile

__all__ = ["BpmnFile", "compile_bpmn", "read_bpmn", "write_bpmn"]
