"""Measurements: one file per question. Each prints ratios against a peer measured in the same run; see run.py."""
