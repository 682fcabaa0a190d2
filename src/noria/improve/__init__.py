"""Improve: PDCA, proposals, pilots, blueprint, health report. Nothing here works yet."""
