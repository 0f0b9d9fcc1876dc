"""Remove names of people, machines, folders, servers, commits and data from the files of a record.

Hashes, identity and journals stay true: paths of images, hosts, remotes and commits enter none of them.
"""

import getpass
import io
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from foldproof import folds, registry
from foldproof.config.identity import canonical_json
from foldproof.config.recorded import own_code, recorded_config
from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile, SettingsError
from foldproof.events.journal import frame, parse
from foldproof.events.types import FoldFailed, Notice, to_json
from foldproof.provenance.git_command import git
from foldproof.records import predictions
from foldproof.records.facts import HELD_OUT
from foldproof.records.record import RunRecord
from foldproof.storage import cleaned, decode_text, parse_json
from foldproof.storage.columns import read_parquet
from foldproof.storage.limits import IMAGES

_LEFT_OUT = "(left out)"
_KEPT_OF_ENVIRONMENT = ("v", "foldproof", "python", "packages", "foldproof_wheel", "numeric_class")
_KEPT_OF_MACHINE = (
    "system",
    "architecture",
    "processor",
    "cores_physical",
    "cores_logical",
    "cores_available",
    "memory_bytes",
    "memory_available_bytes",
    "python",
    "python_implementation",
)
_TABLES = ("folds.csv", "comparison.csv", "comparison.md", "judged.json")  # of a report: only experiments and run ids
_MOST_NAMED = 5
_LEAST = 2  # characters of a name worth looking for


def anonymous(files: Mapping[str, bytes], *, known: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Each file of a run's folder that can be shown, made anonymous.

    `known`: of runs that were made anonymous before, the SHA-256 that their run.json has now. Raises SettingsError
    where groups would show, DamagedFile where a file is not as a run writes it.
    """
    for name, content in files.items():
        try:
            made = _made(name, content, known)
        except (ValueError, KeyError, TypeError, AttributeError, OSError, pa.ArrowException) as error:
            raise DamagedFile(
                f"{name} is not as a run writes it: {cleaned(str(error), most=200)}",
                next_step="restore it from a copy, or bundle the run without --anonymous",
            ) from error
        if made is not None:
            yield name, made


def _made(name: str, content: bytes, known: Mapping[str, str]) -> bytes | None:
    """One file made anonymous; None where it is left out."""
    base = PurePosixPath(name).name
    if name.startswith("report"):
        return content if base in _TABLES and name.count("/") == 1 else None
    if base == "run.json":
        return _facts(content, known)
    if base in _REWRITTEN:
        return _REWRITTEN[base](content)
    if base.startswith("environment"):
        return _environment(content)
    return content if base.startswith("state-") or base.endswith((".safetensors", ".f32")) else None


def image_name(path: str, sha256: str) -> str:
    """What an image is called: the beginning of its hash, with the ending that says how it is read."""
    return f"{sha256[:24]}{PurePosixPath(path).suffix.lower()}"


def still_tells(record: RunRecord, environment: Mapping[str, Any]) -> tuple[str, ...]:
    """What an anonymous bundle says all the same since its hashes rest on it: for its maker to judge."""
    told = [f"experiment {record.experiment}", f"classes {_few(record.facts['classes'])}"]
    if code := _own_code(record.facts):
        told.append(f"own code {_few(code)}")
    if packages := sorted(environment.get("elsewhere") or {}):
        told.append(f"packages from elsewhere {_few(packages)}")
    return tuple(told)


def _own_code(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The dotted paths in what run.json has of the settings, each once."""
    values = (value for section in (facts.get("settings") or {}).values() for value in section.values())
    named = (value for value in values if isinstance(value, str) and registry.is_dotted_path(value))
    return tuple(dict.fromkeys((*own_code(recorded_config(facts)), *named)))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - _MOST_NAMED} more" * (len(names) > _MOST_NAMED))


def traces(project: Path) -> dict[str, str]:
    """Texts that must not be in an anonymous file, each with what it is."""
    found = {"the project's folder": str(project.resolve()), "the home folder": str(Path.home())}
    with suppress(OSError):
        found["the host"] = socket.gethostname()
    with suppress(OSError, KeyError, ImportError):
        found["the user"] = getpass.getuser()
    for key, what in (("user.name", "the git user"), ("user.email", "the git address")):
        found[what] = git(project, "config", "--get", key).out.decode(errors="replace").strip()
    usual = {"root", "user", "localhost", os.sep, "/root", "/home"}
    return {what: text for what, text in found.items() if len(text) >= _LEAST and text not in usual}


def _journal(content: bytes) -> bytes:
    """The same events, renumbered without what was only said to a person; nobody's host and process."""
    lines: list[bytes] = []
    for event in parse(content).events:
        if isinstance(event.body, Notice):
            continue
        about = {key: value for key, value in event.about.items() if key not in ("host", "pid")}
        plain = json.loads(to_json(event))
        plain |= {"seq": len(lines), "about": about}
        if isinstance(event.body, FoldFailed):
            plain["data"]["reason"] = _LEFT_OUT
        lines.append(frame(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()))
    return b"".join(lines)


def _facts(content: bytes, known: Mapping[str, str]) -> bytes:
    facts = parse_json(content)
    before = {run: known.get(run, sha256) for run, sha256 in (facts.get("before") or {}).items()}
    named = {"before": before} if "before" in facts else {}
    return canonical_json({**facts, **named, "data_path": "images"}) + b"\n"


def _environment(content: bytes) -> bytes:
    environment: Mapping[str, Any] = parse_json(content)
    kept = {key: environment[key] for key in _KEPT_OF_ENVIRONMENT if key in environment}
    git, data, machine = (environment.get(key) or {} for key in ("git", "data", "machine"))
    said = {
        **kept,
        "elsewhere": dict.fromkeys(environment.get("elsewhere") or {}, _LEFT_OUT),
        "git": {"dirty": git.get("dirty")} if git else None,  # a search finds whose a commit or a data hash is
        "data": {"state": data.get("state")},
        "machine": {key: machine[key] for key in _KEPT_OF_MACHINE if key in machine},
        "anonymous": True,
    }
    return canonical_json(said) + b"\n"


def _dataset(content: bytes) -> bytes:
    dataset = Dataset.from_json(parse_json(content))
    if any(sample.group for sample in dataset.samples):
        raise SettingsError(
            "the images are in groups, whose names enter the fingerprint: they would show in the bundle",
            next_step="make a bundle without --anonymous, or group by names that tell nothing and run again",
        )
    renamed = [s._replace(path=image_name(s.path, s.sha256)) for s in dataset.samples]
    return canonical_json(Dataset(tuple(renamed)).to_json()) + b"\n"


def _folds(content: bytes) -> bytes:
    rows = folds.from_csv(decode_text(content, name="folds.csv"))
    return folds.to_csv(sorted(row._replace(path=image_name(row.path, row.sha256)) for row in rows)).encode()


def _predictions(content: bytes) -> bytes:
    table = read_parquet(content, most_rows=IMAGES, columns=predictions.SCHEMA.names).select(predictions.SCHEMA.names)
    names = [image_name(*pair) for pair in zip(table["path"].to_pylist(), table["sha256"].to_pylist(), strict=True)]
    at = table.schema.get_field_index("path")
    table = table.set_column(at, predictions.SCHEMA.field("path"), pa.array(names, pa.string()))
    out = io.BytesIO()
    pq.write_table(table.cast(predictions.SCHEMA), out)
    return out.getvalue()


_REWRITTEN: Mapping[str, Callable[[bytes], bytes]] = {
    "events.jsonl": _journal,
    "dataset.json": _dataset,
    HELD_OUT: _dataset,
    "folds.csv": _folds,
    "predictions.parquet": _predictions,
}
