"""`NumericClass`: what the bits of a result depend on besides its settings; recorded, never chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NumericClass:
    """Within one numeric class the same experiment gives the same bits."""

    torch: str
    device: str
    device_name: str
    threads: int
    instruction_set: str
    switches: tuple[str, ...]
    tf32: bool
    memory_format: str
    optimizer_kernel: str
    compiled: bool
    training_code: str
    plugins: str
    fingerprint: str
