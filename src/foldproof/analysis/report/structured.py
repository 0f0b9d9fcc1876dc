"""Render a report as one JSON document whose tables hold plain values under the names of their columns."""

import json
from typing import Any

from foldproof.analysis.report.document import (
    Beside,
    Block,
    Command,
    Facts,
    Figure,
    Items,
    Pictures,
    Report,
    Table,
    Text,
)
from foldproof.analysis.report.spelling import make_plain

SCHEMA_VERSION = 1


def render_json(report: Report) -> str:
    """Fractions are fractions; what is not known is null."""
    sections = [
        {"key": section.key, "title": section.title, "blocks": [_block(block) for block in section.blocks]}
        for section in report.sections
    ]
    document = {
        "v": SCHEMA_VERSION,
        "made_by": report.made_by,
        "title": report.title,
        "verdict": {"word": report.word, "text": report.headline, "detail": report.detail},
        "comparison": report.summary,
        "sections": sections,
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            return {"kind": "table", **_table(block)}
        case Figure():
            return {"kind": "figure", "title": block.title, "caption": block.caption, "data": _table(block.data)}
        case Text():
            return {"kind": block.kind, "text": block.text}
        case Items():
            return {"kind": block.kind, "items": list(block.items)}
        case Facts():
            return {"kind": "facts", "facts": dict(block.pairs)}
        case Beside():
            return {"kind": "beside", "blocks": [_block(block.first), _block(block.second)]}
        case Command():
            return {"kind": "command", "text": block.text}
        case Pictures():
            groups = [{"title": title, "pictures": [one.about for one in some]} for title, some in block.groups]
            return {"kind": "pictures", "title": block.title, "groups": groups}


def _table(table: Table) -> dict[str, Any]:
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, map(make_plain, row), strict=True)) for row in table.rows]
    return {"key": table.key, "title": table.title, "note": table.note, "rows": rows}
