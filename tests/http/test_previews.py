"""Pages of PDFs as pictures, drawn by a process of its own."""

from __future__ import annotations

import io

import pytest
from reportlab.pdfgen.canvas import Canvas

from noria.adapters.previewing import page as program
from noria.adapters.previewing import previews
from noria.adapters.previewing.previews import Previews
from noria.adapters.printing.pdf import PdfPrinter
from noria.operate.attachments import NoPreviewError
from noria.operate.printing import Line
from tests.http.house import House
from tests.http.test_attachments import upload
from tests.http.test_printing import sheet

MADE = PdfPrinter().pdf(sheet(lines=(Line("说明", "很长的一段。" * 900),)))


async def test_who_may_read_a_pdf_sees_its_pages(house: House) -> None:
    lin, chen = await house.sign_in("lin"), await house.sign_in("chen")
    hashed = (await upload(lin, MADE)).json()["hash"]
    for number in (1, 2):
        answer = await lin.get(f"/attachments/{hashed}/pages/{number}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG\r\n\x1a\n")
        assert int(answer.headers["x-pages"]) >= 2
    assert (await chen.get(f"/attachments/{hashed}/pages/1")).status_code == 403
    assert (await lin.get(f"/attachments/{'0' * 64}/pages/1")).status_code == 404


@pytest.mark.parametrize("number", [0, 99])
async def test_a_page_that_is_not_there_is_refused(house: House, number: int) -> None:
    lin = await house.sign_in("lin")
    hashed = (await upload(lin, MADE)).json()["hash"]
    answer = await lin.get(f"/attachments/{hashed}/pages/{number}")
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment.no_preview")


@pytest.mark.parametrize("content", [b"%PDF-1.7\n" + bytes(300), MADE[:2_000], MADE.replace(b"obj", b"jbo")])
async def test_a_broken_pdf_has_no_page_and_does_no_harm(content: bytes) -> None:
    with pytest.raises(NoPreviewError):
        await Previews().page(content, 1)


async def test_other_files_have_no_pages(house: House) -> None:
    lin = await house.sign_in("lin")
    hashed = (await upload(lin, b"a,b", "a.csv", "text/csv")).json()["hash"]
    answer = await lin.get(f"/attachments/{hashed}/pages/1")
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment.no_preview")


async def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "TIMEOUT_S", 0.0)
    with pytest.raises(NoPreviewError, match="too long"):
        await Previews().page(MADE, 1)


async def test_a_huge_page_is_drawn_small() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(14_000, 200))
    canvas.drawString(10, 10, "x")
    canvas.showPage()
    canvas.setPageSize((100, 14_000))
    canvas.drawString(10, 10, "x")
    canvas.save()
    for number in (1, 2):
        png, _ = await Previews().page(out.getvalue(), number)
        wide, high = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
        assert wide * high <= program.PIXELS_MAX * 1.01
        assert wide <= previews.WIDTH
