"""In-process workers: the same leases, retries and errors as external ones."""

from noria.adapters.worker.pool import WorkerPool

__all__ = ["WorkerPool"]
