"""``noria export``: models for other tools, as they are or as plain BPMN, with a finding for whatever that costs."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from noria.adapters.cli.options import converts_into
from noria.design.bpmn import read_bpmn, write_bpmn
from noria.design.exporting import Plain, export_plain, sentence
from noria.design.findings import Finding, has_errors

_SEVERITY = {
    "en": {"error": "error", "warning": "lost", "info": "kept"},
    "zh": {"error": "错误", "warning": "丢失", "info": "保留"},
}
_SUMMARY = {
    "en": "{file}: {kept} said in the standard's words, {lost} lost to other tools",
    "zh": "{file}：{kept} 项以标准写法保留，{lost} 项对其他工具丢失",
}


@click.command("export")
@converts_into("exported", "export")
@click.option("--plain", is_flag=True, help="As plain BPMN 2.0, without any namespace but the standard's own.")
def export_command(
    files: tuple[Path, ...], folder: Path, report: str, language: str, *, plain: bool, overwrite: bool
) -> None:
    """Write BPMN files for other tools.

    Without --plain a file is written with all that it says. With it, Noria's words become the standard's where it has
    any, and documentation where it has none; a finding by element says which. Exit code 0 when all files are written,
    also when something is lost to other tools, 2 when a file cannot be read; then none is written.
    """
    targets = _targets(files, folder, overwrite=overwrite)
    exported = [(path, _export(path, plain=plain)) for path in files]
    unreadable = any(result.document is None for _, result in exported)
    if not unreadable:
        folder.mkdir(parents=True, exist_ok=True)
        for path, result in exported:
            targets[path].write_bytes(result.document or b"")
    if report == "json":
        lines = [_as_json(path, None if unreadable else targets[path], result) for path, result in exported]
        click.echo(json.dumps(lines, ensure_ascii=False))
    else:
        for path, result in exported:
            _print(path, result, language)
    if unreadable:
        raise SystemExit(2)


def _export(path: Path, *, plain: bool) -> Plain:
    content = path.read_bytes()
    if plain:
        return export_plain(content, path.name)
    read, findings = read_bpmn(content, path.name)
    return Plain(None, findings) if read is None or has_errors(findings) else Plain(write_bpmn(read), [])


def _targets(files: tuple[Path, ...], folder: Path, *, overwrite: bool) -> dict[Path, Path]:
    """Where each file goes; no input and no other result is overwritten.

    Raises:
        click.UsageError: it would be.
    """
    targets: dict[Path, Path] = {}
    sources = {path.resolve() for path in files}
    for path in files:
        target = folder / path.name
        if target.resolve() in sources:
            raise click.UsageError(f"{target} would be overwritten; give another folder with --to.")
        if target in targets.values():
            raise click.UsageError(f"Two files would become {target}; export them one by one, into two folders.")
        if target.exists() and not overwrite:
            raise click.UsageError(f"{target} is there already; give another folder with --to, or --overwrite.")
        targets[path] = target
    return targets


def _print(path: Path, result: Plain, language: str) -> None:
    for finding in result.findings:
        kind = _SEVERITY[language][finding.severity]
        place = f"{finding.file}:{finding.line}: {finding.element or '-'}: {finding.code}"
        click.echo(f"{place}: {sentence(finding, language)} ({kind})")
    if result.document is not None:
        lost = sum(finding.severity == "warning" for finding in result.findings)
        click.echo(_SUMMARY[language].format(file=path, kept=len(result.findings) - lost, lost=lost), err=True)


def _as_json(path: Path, target: Path | None, result: Plain) -> dict[str, object]:
    lines = [{**msgspec.to_builtins(finding), "sentences": _sentences(finding)} for finding in result.findings]
    return {"file": str(path), "written": str(target) if target is not None else None, "findings": lines}


def _sentences(finding: Finding) -> dict[str, str]:
    return {"en": sentence(finding, "en"), "zh": sentence(finding, "zh")}
