"""Hash what defines a result: canonical JSON, as hexadecimal digests. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from foldproof.config.schema import ExperimentConfig


def canonical(value: Any) -> Any:
    """Plain JSON values of a dataclass with all defaults filled in.

    A field added after schema version 1 (`metadata["added"]`) is left out while it has its default,
    so that hashes made before the field existed stay true.
    """
    if is_dataclass(value) and not isinstance(value, type):
        counted = [item for item in fields(value) if not _as_if_absent(item, getattr(value, item.name))]
        return {item.name: canonical(getattr(value, item.name)) for item in counted}
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _as_if_absent(item: Field[Any], value: Any) -> bool:
    return "added" in item.metadata and item.default is not MISSING and bool(value == item.default)


def canonical_json(value: Any) -> bytes:
    """One spelling for one value: keys sorted, no spaces, shortest round-trip floats, UTF-8."""
    return json.dumps(
        canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 hexadecimal characters."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def experiment_identity(config: ExperimentConfig, *, fingerprint: str, folds_digest: str, within: object = None) -> str:
    """What decides whether two runs are executions of one experiment. The name does not count.

    `within`: the values from black to white; None for 8-bit images.
    """
    return digest(
        {
            **({} if within is None else {"range": within}),
            "pixels": config.pixels,
            "folds": config.folds,
            "train": config.train,
            "fingerprint": fingerprint,
            "assignment": folds_digest,
        }
    )
