"""The built web pages: hashed assets for ever, everything else fresh; unknown paths are the application's own."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from litestar import Request, Response, get
from litestar.datastructures import State

from noria.adapters.http.problems import HttpProblemError

STATIC = Path(__file__).parent / "static"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_HINT = (
    "<!doctype html><meta charset=utf-8><title>Noria</title><h1>Noria</h1>"
    "<p>The server runs, but the web pages are not built. Run <code>make web</code> and load this page again.</p>"
)


class Pages:
    """Serves the files of one folder."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {
            "/" + path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
        }

    def response(self, path: str, accepted: str) -> Response[bytes]:
        """The file of a path, compressed as the browser accepts it."""
        if path not in self._files:
            if "." in path.rpartition("/")[2]:
                raise HttpProblemError("not_found", "There is no such page.")
            path = "/index.html"
        file = self._files.get(path)
        if file is None:
            return Response(_HINT.encode(), media_type="text/html; charset=utf-8")
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if media_type.startswith("text/") or media_type in ("application/javascript", "application/json"):
            media_type += "; charset=utf-8"
        hashed = path.startswith("/assets/")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "Vary": "Accept-Encoding",
        }
        for encoding, ending in _ENCODINGS:
            compressed = self._files.get(path + ending)
            if compressed is not None and encoding in accepted:
                headers["Content-Encoding"] = encoding
                file = compressed
                break
        return Response(file.read_bytes(), media_type=media_type, headers=headers)


@get(["/", "/{path:path}"], include_in_schema=False)
async def page(request: Request[object, object, State], state: State, path: str = "/") -> Response[bytes]:
    """A page or asset."""
    pages: Pages = state.pages
    return pages.response(path if path.startswith("/") else f"/{path}", request.headers.get("accept-encoding", ""))
