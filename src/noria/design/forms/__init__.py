"""Forms as JSON schema of form-js (schemaVersion 19): read, checked, and every submission validated by it."""
