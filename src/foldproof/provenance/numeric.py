"""Define `NumericClass`: what the bits of a result depend on besides its settings; recorded, never chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What keeps torch and oneDNN to AVX2 and MKL to what every maker's processors do alike; read when torch is loaded.
# MKL_CBWR=AVX2 is another branch on processors that are not Intel's (docs/reproducibility.md).
PORTABLE: Mapping[str, str] = MappingProxyType(
    {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "COMPATIBLE"}
)


@dataclass(frozen=True, kw_only=True)
class NumericClass:
    """Within one numeric class the same experiment gives the same bits.

    `training_code`, `plugins`, `parts`: digests of foldproof's modules, of the backbone's own where it is not built in
    (with the files that it read), and of all other parts that are not. `packages`: versions of what else decides.
    `model`: digest of the model as it is built from one seed, so that weights of another content are another model.
    Records of before have no `parts`, `packages` and `model`.
    """

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
    parts: str = ""
    packages: tuple[str, ...] = ()
    model: str = ""


CODE = ("training_code", "plugins", "parts", "model")  # fields that say what is computed, not how
