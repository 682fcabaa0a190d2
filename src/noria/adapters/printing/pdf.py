"""PDF by ReportLab (docs/decisions/0025)."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from noria.kernel.errors import NoriaError
from noria.kernel.instants import parse_instant, to_datetime
from noria.operate.preferences import Language
from noria.operate.printing import Sheet

STANDARD = "STSong-Light"
"""The PDF standard's own Chinese font: no file is embedded, the reader's program brings it."""
_EMBEDDED = "noria-cjk"
_RED = colors.HexColor("#c0272d")
_LINE = colors.HexColor("#b9c4c2")
_SIGNATURE_W, _SIGNATURE_H = 60 * mm, 20 * mm

_WORDS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "number": "编号",
        "process": "流程",
        "starter": "申请人",
        "started": "发起时间",
        "ended": "办结时间",
        "status": "结果",
        "decisions": "审批记录",
        "element": "环节",
        "person": "办理人",
        "outcome": "意见",
        "at": "时间",
        "comment": "说明",
        "round": "第 {n} 轮",
        "printed": "{by} 于 {at} 打印 · 第 {page} 页",
        "completed": "已办结",
        "refused": "已驳回",
        "withdrawn": "已撤回",
        "terminated": "已终止",
        "failed": "异常结束",
        "voided": "已作废",
        "for": "{person} 代 {owner}",
        "task.approved": "同意",
        "task.refused": "驳回",
        "task.abstained": "弃权",
        "task.completed": "已办理",
        "task.returned": "退回",
    },
    "en": {
        "number": "Number",
        "process": "Process",
        "starter": "Applicant",
        "started": "Started",
        "ended": "Ended",
        "status": "Result",
        "decisions": "Decisions",
        "element": "Step",
        "person": "Person",
        "outcome": "Decision",
        "at": "When",
        "comment": "Remark",
        "round": "round {n}",
        "printed": "Printed by {by} at {at} · page {page}",
        "completed": "Completed",
        "refused": "Refused",
        "withdrawn": "Withdrawn",
        "terminated": "Terminated",
        "failed": "Failed",
        "voided": "Void",
        "for": "{person} for {owner}",
        "task.approved": "approved",
        "task.refused": "refused",
        "task.abstained": "abstained",
        "task.completed": "done",
        "task.returned": "returned",
    },
}


class FontError(NoriaError):
    """The font for printing cannot be used."""

    code = "print.font"


class _Stamp(Flowable):  # type: ignore[misc]  # the library has no types
    """A round red seal (章): whose, what came of it, when, and the number."""

    def __init__(self, company: str, result: str, day: str, number: str, font: str) -> None:
        super().__init__()
        self._texts = (company, result, day, number)
        self._font = font
        self.width = self.height = 42 * mm

    def draw(self) -> None:
        """Draw it."""
        canvas, radius = self.canv, 20 * mm
        canvas.saveState()
        canvas.setStrokeColor(_RED)
        canvas.setFillColor(_RED)
        canvas.setLineWidth(1.6)
        canvas.circle(21 * mm, 21 * mm, radius)
        canvas.setLineWidth(0.6)
        canvas.circle(21 * mm, 21 * mm, radius - 1.6 * mm)
        company, result, day, number = self._texts
        for text, size_max, height in ((company, 9.0, 30), (result, 15.0, 20), (day, 8.0, 14), (number, 7.0, 9)):
            wide = pdfmetrics.stringWidth(text, self._font, size_max)
            canvas.setFont(self._font, min(size_max, size_max * (2 * radius - 9 * mm) / max(1.0, wide)))
            canvas.drawCentredString(21 * mm, height * mm, text)
        canvas.restoreState()


class PdfPrinter:
    """`Printer`.

    Args:
        font: TrueType file with Chinese signs to embed, None for the standard's own that is not embedded.

    Raises:
        FontError: the file is no such font.
    """

    def __init__(self, font: Path | None = None) -> None:
        self._font = STANDARD
        if font is None:
            pdfmetrics.registerFont(UnicodeCIDFont(STANDARD))
            return
        try:
            pdfmetrics.registerFont(TTFont(_EMBEDDED, str(font)))
        except (TTFError, OSError) as error:
            raise FontError(
                f"{font} cannot be used for printing: {error}. Name a TrueType font (.ttf, .ttc)."
            ) from error
        self._font = _EMBEDDED

    def pdf(self, sheet: Sheet) -> bytes:
        """A PDF; equal sheets give equal files."""
        words = _WORDS[sheet.language]
        normal = ParagraphStyle("normal", fontName=self._font, fontSize=10, leading=14, wordWrap="CJK")
        small = ParagraphStyle("small", parent=normal, fontSize=9, leading=12)
        head = ParagraphStyle("head", parent=normal, fontSize=12, leading=18, spaceBefore=8, spaceAfter=4)
        title = ParagraphStyle("title", parent=normal, fontSize=16, leading=24, alignment=TA_CENTER, spaceAfter=8)

        def cell(text: str, style: ParagraphStyle = small) -> Paragraph:
            return Paragraph(escape(text).replace("\n", "<br/>"), style)

        zone = ZoneInfo(sheet.zone)

        def when(instant: str) -> str:
            return to_datetime(parse_instant(instant), zone).strftime("%Y-%m-%d %H:%M")

        facts = [
            (words["number"], sheet.business_key, words["process"], f"{sheet.process} v{sheet.version}"),
            (words["starter"], sheet.starter, words["status"], words[sheet.status]),
            (words["started"], when(sheet.started_at), words["ended"], when(sheet.ended_at)),
        ]
        story: list[Any] = [
            cell(sheet.title, title),
            self._table([[cell(text) for text in row] for row in facts], (24, 61, 24, 61)),
            Spacer(1, 4 * mm),
        ]
        if sheet.lines:
            story.append(self._table([[cell(line.label), cell(line.text)] for line in sheet.lines], (42, 128)))
        for rows in sheet.tables:
            story.append(cell(rows.label, head))
            content = [[cell(text) for text in rows.columns], *([cell(text) for text in row] for row in rows.rows)]
            share = 170 / max(1, len(rows.columns))
            story.append(self._table(content, (share,) * len(rows.columns), header=True))
        for image in sheet.images:
            story += [cell(image.label, head), self._picture(image.png)]
        if sheet.decisions:
            story.append(cell(words["decisions"], head))
            content = [[cell(words[name]) for name in ("element", "person", "outcome", "at", "comment")]]
            for one in sheet.decisions:
                outcome = words[one.kind]
                person = one.owner or one.person
                for stands_in in (*one.via, one.person) if one.owner else ():
                    person = words["for"].format(person=stands_in, owner=person)
                if one.round > 1:
                    outcome += f" ({words['round'].format(n=one.round)})"
                content.append([cell(text) for text in (one.element, person, outcome, when(one.at), one.comment)])
            story.append(self._table(content, (36, 26, 28, 32, 48), header=True))
        stamp = _Stamp(sheet.company, words[sheet.status], when(sheet.ended_at)[:10], sheet.business_key, self._font)
        stamp.hAlign = "RIGHT"
        story += [Spacer(1, 6 * mm), stamp]

        def foot(canvas: Canvas, document: Any) -> None:
            canvas.setFont(self._font, 8)
            line = words["printed"].format(by=sheet.printed_by, at=when(sheet.printed_at), page=document.page)
            canvas.drawString(20 * mm, 10 * mm, line)

        out = io.BytesIO()
        margins = {"leftMargin": 20 * mm, "rightMargin": 20 * mm, "topMargin": 18 * mm, "bottomMargin": 18 * mm}
        # Invariant: without the instant and the random id of this very file, equal sheets are equal bytes.
        document = SimpleDocTemplate(out, pagesize=A4, title=sheet.title, author="Noria", invariant=1, **margins)
        document.build(story, onFirstPage=foot, onLaterPages=foot)
        return out.getvalue()

    @staticmethod
    def _table(content: list[list[Any]], widths_mm: tuple[float, ...], *, header: bool = False) -> Table:
        style = [
            ("GRID", (0, 0), (-1, -1), 0.5, _LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        if header:
            style.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eef3f2")))
        table = Table(content, [width * mm for width in widths_mm], repeatRows=1 if header else 0, splitInRow=1)
        table.setStyle(TableStyle(style))
        return table

    @staticmethod
    def _picture(png: bytes) -> Image:
        width, height = ImageReader(io.BytesIO(png)).getSize()
        scale = min(_SIGNATURE_W / width, _SIGNATURE_H / height)
        picture = Image(io.BytesIO(png), width * scale, height * scale, mask="auto")
        picture.hAlign = "LEFT"
        return picture
