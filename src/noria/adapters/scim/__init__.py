"""SCIM 2.0 (RFC 7643, 7644): another system keeps people and units up to date."""
