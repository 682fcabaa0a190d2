"""Draws one page of a PDF: a program of its own, for what it reads comes from anybody.

Called by `previews.py` as ``python -m noria.adapters.previewing.page PAGE WIDTH``: the PDF comes in, a PNG goes out,
the number of pages goes to the error output. It limits its own time and memory before it looks at the first byte.
"""

from __future__ import annotations

import io
import sys

import pypdfium2 as pdfium

try:
    import resource
except ImportError:  # Windows has no such limits; there the time limit of the caller is left
    resource = None  # type: ignore[assignment]

CPU_S = 10
MEMORY_BYTES = 1 << 30
PIXELS_MAX = 4_000_000


def main(page: int, width: int) -> int:
    """Draw; gives the exit code: 0, or 1 for what is no PDF or has no such page."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    try:
        document = pdfium.PdfDocument(sys.stdin.buffer.read())
        if not 1 <= page <= len(document):
            return 1
        sheet = document[page - 1]
        wide, high = sheet.get_size()
        scale = min(width / max(1.0, wide), (PIXELS_MAX / max(1.0, wide * high)) ** 0.5)
        picture = sheet.render(scale=scale).to_pil()
    except (pdfium.PdfiumError, MemoryError, ValueError):
        return 1
    out = io.BytesIO()
    picture.save(out, "PNG")
    sys.stderr.write(str(len(document)))
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
