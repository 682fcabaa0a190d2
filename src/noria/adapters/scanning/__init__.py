"""Virus scanners that uploaded files go through."""
