"""BPMN 2.0: read through the guarded door, validate, compile to an executable graph, write back without loss."""
