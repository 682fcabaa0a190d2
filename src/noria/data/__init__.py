"""Data: connectors, documents, master data, quality, lineage, warehouse. Nothing here works yet."""
