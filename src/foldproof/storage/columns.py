"""Read a parquet file that somebody else may have written, unless it unpacks to far more than its size.

A few bytes can stand for gigabytes: a page packed well, one number a million times, a long text named again and again.
So what each page says it unpacks to is added up before any is, and texts stay numbers of a dictionary until it is known
how long they are together.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foldproof.storage.limits import UNPACKED_BYTES, UNPACKED_RATIO
from foldproof.storage.pages import Page, pages_of

_WIDEST = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_FIXED = "FIXED_LEN_BYTE_ARRAY"
_SHARED_BEGINNINGS = "DELTA_BYTE_ARRAY"  # each text goes on from the one before it: n long ones take n bytes
_MOST_FOOTER_TEXT = 2**20


def read_parquet(content: bytes, *, most_rows: int, columns: Sequence[str] | None = None) -> pa.Table:
    """The table: the columns that are asked for, or all that are not nested.

    Raises ValueError or pyarrow's ArrowException where it is none, has more than `most_rows` rows, or would take more
    memory than a table of that many bytes may.
    """
    file = pq.ParquetFile(
        pa.BufferReader(content),
        thrift_string_size_limit=max(len(content), _MOST_FOOTER_TEXT),
        thrift_container_size_limit=max(len(content), _MOST_FOOTER_TEXT),
    )
    if file.metadata.num_rows > most_rows:
        raise ValueError(f"{file.metadata.num_rows:,} rows, more than {most_rows:,}")
    leaves = _leaves(file.metadata, columns)
    most = max(UNPACKED_BYTES, UNPACKED_RATIO * len(content))
    if (size := sum(_unpacked(file.metadata, leaf, content) for leaf in leaves)) > most:
        raise ValueError(f"its {len(content):,} bytes would become {size:,}")
    texts = [file.metadata.schema.column(leaf).path for leaf in leaves if _is_text(file.metadata, leaf)]
    roots = list(dict.fromkeys(file.metadata.schema.column(leaf).path.partition(".")[0] for leaf in leaves))
    file = pq.ParquetFile(pa.BufferReader(content), metadata=file.metadata, read_dictionary=texts)
    table = file.read(columns=roots, use_threads=False)
    return _spelled_out(table, most)


def _leaves(metadata: Any, columns: Sequence[str] | None) -> list[int]:
    """The numbers of the columns to read, as parquet counts them. Raises ValueError for texts within lists."""
    found = []
    for number in range(metadata.num_columns):
        column = metadata.schema.column(number)
        root, nested = column.path.partition(".")[0], column.path != column.name
        if (not nested) if columns is None else root in columns:
            found.append(number)
            if nested and _is_text(metadata, number):
                raise ValueError(f"{root} holds texts within lists")
    return found


def _is_text(metadata: Any, leaf: int) -> bool:
    return bool(metadata.schema.column(leaf).physical_type == "BYTE_ARRAY")


def _unpacked(metadata: Any, leaf: int, content: bytes) -> int:
    """The bytes that a column takes in memory, its texts each once."""
    total = 0
    column = metadata.schema.column(leaf)
    width = column.length if column.physical_type == _FIXED else _WIDEST.get(column.physical_type, 4)
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(leaf)
        if chunk.file_path or _SHARED_BEGINNINGS in chunk.encodings:
            raise ValueError("it is stored in a way that is not read")
        for page in _pages(chunk, content):
            total += page.bytes + width * page.values
    return total


def _pages(chunk: Any, content: bytes) -> Iterator[Page]:
    start = chunk.data_page_offset
    no_data = start == 0 and chunk.num_values == 0  # as of a table without a row
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = chunk.dictionary_page_offset if no_data else min(start, chunk.dictionary_page_offset)
    elif no_data:
        return
    yield from pages_of(content, start, start + chunk.total_compressed_size)


def _spelled_out(table: pa.Table, most: int) -> pa.Table:
    """With texts in place of numbers of a dictionary. Raises ValueError where they are too long together."""
    for number, field in enumerate(table.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        column = table.column(number)
        longest = max((_longest(chunk.dictionary) for chunk in column.chunks), default=0)
        if longest * len(column) > most:
            raise ValueError(f"the texts in {field.name[:80]} would become {longest * len(column):,} bytes")
        table = table.set_column(number, field.name, column.cast(field.type.value_type))
    return table


def _longest(texts: Any) -> int:
    return int(pc.max(pc.binary_length(texts)).as_py() or 0)
