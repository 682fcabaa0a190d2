"""Requests on paper."""
