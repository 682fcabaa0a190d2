"""All input and output: adapters translate, never decide, and never import each other."""
