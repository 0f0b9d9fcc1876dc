"""Write files completely or not at all, lock, read safely, and hide secrets."""

from foldproof.storage.copying import copy_inside
from foldproof.storage.locks import holder, is_held, locked
from foldproof.storage.names import Commit, FileName, Md5, RelativePath, RunId, Sha256
from foldproof.storage.own_folder import own_folder
from foldproof.storage.parsing import mapping_in, parse_json, parse_line
from foldproof.storage.reading import (
    cleaned,
    cleaned_lines,
    create_inside,
    decode_text,
    escaped,
    folder_for,
    inside,
    is_folder_here,
    leads_astray,
    read_file,
    read_if_there,
    read_inside,
    read_json_inside,
    read_text,
    regular_inside,
)
from foldproof.storage.redaction import redact, redact_arguments, redact_uris, redact_value
from foldproof.storage.refusal import next_step
from foldproof.storage.writing import remove_unfinished, replacing, sync_file, sync_folder, write_atomically

__all__ = [
    "Commit",
    "FileName",
    "Md5",
    "RelativePath",
    "RunId",
    "Sha256",
    "cleaned",
    "cleaned_lines",
    "copy_inside",
    "create_inside",
    "decode_text",
    "escaped",
    "folder_for",
    "holder",
    "inside",
    "is_folder_here",
    "is_held",
    "leads_astray",
    "locked",
    "mapping_in",
    "next_step",
    "own_folder",
    "parse_json",
    "parse_line",
    "read_file",
    "read_if_there",
    "read_inside",
    "read_json_inside",
    "read_text",
    "redact",
    "redact_arguments",
    "redact_uris",
    "redact_value",
    "regular_inside",
    "remove_unfinished",
    "replacing",
    "sync_file",
    "sync_folder",
    "write_atomically",
]
