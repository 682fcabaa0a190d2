"""Analyse: mining, conformance, prediction and the digital twin. Nothing here works yet."""
