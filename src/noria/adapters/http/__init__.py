"""HTTP: the REST interface, live updates and the built web pages."""
