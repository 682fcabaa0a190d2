"""Design: read, validate and compile BPMN, DMN, FEEL and forms into executable values, and write them back. Pure."""
