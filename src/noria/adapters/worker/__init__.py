"""In-process workers for jobs."""
