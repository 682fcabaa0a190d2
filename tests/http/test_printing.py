"""A request on paper: what it says is read back out of the file."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest

from noria.adapters.printing.pdf import FontError, PdfPrinter
from noria.operate.printing import Decision, Image, Line, Rows, Sheet
from tests.http.house import Client, House
from tests.http.test_field_access import deploy as deploy_offer


def text_of(content: bytes) -> str:
    """All words of a PDF, without the line breaks of its cells."""
    document = pdfium.PdfDocument(content)
    said = "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "").replace("\n", "")
    # What goes over the end of a page has its foot in between.
    return re.sub(r"林晓 于 [\d :-]+ 打印 · 第 \d+ 页", "", said)


def png(width: int = 4, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x06\0\0\0"
    rows = (b"\0" + b"\x10\x20\x30\xff" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def finished(house: House) -> tuple[Client, dict[str, Any]]:
    lin, wang, li = [await house.sign_in(name) for name in ("lin", "wang", "li")]
    started = await lin.start(amount=20_000, reason="<b>产线</b> & 备件")
    assert (await wang.complete(opinion="同意采购")).status_code == 200
    assert (await li.complete("group")).status_code == 200
    while (await lin.get(f"/instances/{started['id']}")).json()["status"] == "open":
        await house.noria.projector.catch_up()
        zhao = await house.sign_in("zhao")
        if (await zhao.get("/tasks", box="group")).json()["items"]:
            await zhao.complete("group")
    return lin, (await lin.get(f"/instances/{started['id']}")).json()


async def test_a_finished_request_has_its_fields_lines_decisions_and_stamp(house: House) -> None:
    lin, done = await finished(house)
    answer = await lin.get(f"/instances/{done['id']}/pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].endswith(f"''{done['business_key']}.pdf")
    said = text_of(answer.content)
    for words in (
        done["business_key"],
        "深沟球轴承",
        "上海精工轴承有限公司",
        "原材料",
        "20,000",
        "轴承 6204",
        "<b>产线</b> & 备件",
        "林晓",
        "王强",
        "审批记录",
        "已办结",
        "澄海制造",
    ):
        assert words in said, words


async def test_in_english_its_own_words_are_english(house: House) -> None:
    lin, done = await finished(house)
    said = text_of((await lin.get(f"/instances/{done['id']}/pdf", language="en")).content)
    assert "Completed" in said
    assert "Decisions" in said
    assert "审批记录" not in said


async def test_an_open_request_is_not_printed_and_a_strangers_never(house: House) -> None:
    lin, chen = await house.sign_in("lin"), await house.sign_in("chen")
    started = await lin.start()
    early = await lin.get(f"/instances/{started['id']}/pdf")
    assert (early.status_code, early.json()["code"]) == (422, "print.open")
    assert (await chen.get(f"/instances/{started['id']}/pdf")).status_code == 403


async def test_what_a_person_may_not_see_is_not_on_their_paper(house: House) -> None:
    assert (await deploy_offer(house)).status_code == 201
    lin, wang, li = [await house.sign_in(name) for name in ("lin", "wang", "li")]
    values = {"subject": "泵", "margin": "机密 31%", "price": 21, "lines": [], "remark": ""}
    started = (await lin.post("/instances", {"process": "offer", "variables": values})).json()
    assert (await wang.complete(remark="好")).status_code == 200
    assert (await li.complete(**values)).status_code == 200
    await house.noria.projector.catch_up()
    seen = {
        name: text_of((await client.get(f"/instances/{started['id']}/pdf")).content)
        for name, client in (("lin", lin), ("wang", wang))
    }
    assert "机密 31%" in seen["lin"]
    assert "机密" not in seen["wang"]
    assert "泵" in seen["wang"]


def sheet(**given: Any) -> Sheet:
    values: dict[str, Any] = {
        "language": "zh-CN",
        "zone": "Asia/Shanghai",
        "title": "采购申请",
        "business_key": "CG-2026-000001",
        "process": "采购申请",
        "version": 1,
        "starter": "林晓",
        "started_at": "2026-03-02T01:00:00.000Z",
        "ended_at": "2026-03-02T18:00:00.000Z",
        "status": "completed",
        "company": "澄海制造",
        "lines": (),
        "tables": (),
        "images": (),
        "decisions": (),
        "printed_by": "林晓",
        "printed_at": "2026-03-03T01:00:00.000Z",
    }
    return Sheet(**{**values, **given})


def test_equal_sheets_are_equal_files_and_instants_are_local() -> None:
    printer = PdfPrinter()
    once, again = printer.pdf(sheet()), printer.pdf(sheet())
    assert once == again
    assert "2026-03-03 02:00" in text_of(once)
    assert pdfium.PdfDocument(once)[0].get_textpage().get_text_range().count("2026-03-03 09:00 打印 · 第 1 页") == 1


def test_a_decision_names_everybody_on_the_way_from_who_acted_to_whom_they_acted_for() -> None:
    decided = {"kind": "task.approved", "at": "2026-03-02T02:00:00.000Z", "comment": "", "round": 1}
    made = sheet(
        decisions=(
            Decision("甲", "王强", **decided),
            Decision("乙", "孙磊", **decided, owner="赵总"),
            Decision("丙", "李娜", **decided, owner="赵总", via=("孙磊",)),
        )
    )
    said = text_of(PdfPrinter().pdf(made)).replace(" ", "")
    assert all(words in said for words in ("甲王强同意", "乙孙磊代赵总", "丙李娜代孙磊代赵总"))


def test_a_long_request_goes_over_many_pages_and_loses_nothing() -> None:
    rows = tuple((f"零件{number}", str(number), "说明" * 60) for number in range(200))
    made = sheet(
        lines=(Line("说明", "很长的一段。" * 800), Line("x" * 300, "y" * 3_000)),
        tables=(Rows("明细", ("名称", "数量", "说明"), rows),),
        images=(Image("签名", png()), Image("签名", png(3_000, 10))),
        decisions=tuple(
            Decision("审批", f"甲{n}", "task.approved", "2026-03-02T02:00:00Z", "同意" * 50, 2) for n in range(60)
        ),
    )
    content = PdfPrinter().pdf(made)
    said = text_of(content)
    assert len(pdfium.PdfDocument(content)) > 5
    assert "零件0" in said
    assert "零件199" in said
    assert said.count("很长的一段。") == 800
    assert "甲59" in said


def test_every_outcome_has_its_word_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        for status in ("completed", "refused", "withdrawn", "terminated", "failed"):
            assert PdfPrinter().pdf(sheet(language=language, status=status))


def test_a_font_that_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_bytes(json.dumps({}).encode())
    for path in (tmp_path / "no.ttf", tmp_path / "missing.ttf"):
        with pytest.raises(FontError, match=path.name):
            PdfPrinter(path)


async def test_what_was_declared_void_is_printed_as_void(house: House) -> None:
    lin, done = await finished(house)
    he = await house.sign_in("he")
    assert (await he.post(f"/instances/{done['id']}/void", {"reason": "重复采购"})).status_code == 200
    for language, word in (("zh-CN", "已作废"), ("en", "Void")):
        answer = await lin.get(f"/instances/{done['id']}/pdf", language=language)
        assert answer.status_code == 200, answer.text
        assert word in text_of(answer.content)
