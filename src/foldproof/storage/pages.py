"""Compute how large the pages of a parquet file unpack, from their headers. Pure.

A page begins with a header in Thrift's compact protocol: fields, each with its number and kind.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_UNPACKED, _PACKED, _DATA, _DATA_2 = 2, 3, 5, 8  # fields of a page's header
_COUNT = 1  # field of a data page's header
_DEEPEST = 5
_MOST_HEADER_BYTES = 2**20


class Page(NamedTuple):
    """How many values a page holds and how many bytes it unpacks to; a dictionary's entries are counted as bytes."""

    values: int
    bytes: int


def pages_of(content: bytes, start: int, end: int) -> Iterator[Page]:
    """The pages from byte `start` to `end`. Raises ValueError where they do not fill it."""
    if not 0 < start <= end <= len(content):
        raise ValueError("a column lies outside the file")
    at = start
    while at < end:
        reader = _ThriftReader(content, at, min(end, at + _MOST_HEADER_BYTES))
        header = reader.struct()
        data = header.get(_DATA) or header.get(_DATA_2) or {_COUNT: 0}
        if not isinstance(data, Mapping):
            raise ValueError("a page's header is not one")
        yield Page(_size(data.get(_COUNT)), _size(header.get(_UNPACKED)))
        at = reader.at + _size(header.get(_PACKED))
    if at != end:
        raise ValueError("the pages of a column do not fill it")


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a page of a column says no size")
    return value


class _ThriftReader:
    """Reads Thrift's compact protocol; what it does not need it passes over."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self._content = content
        self.at = at
        self._end = end

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The whole numbers and structs among the fields of a struct, by the fields' numbers."""
        if depth > _DEEPEST:
            raise ValueError("a page's header is nested too deeply")
        found: dict[int, Any] = {}
        number = 0
        while kind := (head := self._byte()) & 0xF:
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            found[number] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        match kind:
            case 1 | 2:  # true, false: the kind is the value
                return None
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return _signed(self._varint())
            case 7:
                return self._skip(8)
            case 8:
                return self._skip(self._varint())
            case 9 | 10:
                return self._list(depth)
            case 12:
                return self.struct(depth + 1)
        raise ValueError("a page's header is not one")

    def _list(self, depth: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 != 0xF else self._varint()
        if count > self._end - self.at:
            raise ValueError("a page's header is not one")
        for _ in range(count):
            self._skip(1) if head & 0xF in (1, 2) else self._value(head & 0xF, depth + 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a page's header is not one")

    def _byte(self) -> int:
        self._skip(1)
        return self._content[self.at - 1]

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > self._end:
            raise ValueError("a page's header goes on beyond its column")


def _signed(value: int) -> int:
    """What zigzag spells: 0, -1, 1, -2, …"""
    return (value >> 1) ^ -(value & 1)
