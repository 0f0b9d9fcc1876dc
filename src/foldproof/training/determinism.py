"""Set flags and threads for a device and describe its `NumericClass`, with the numeric fingerprint.

The only place that sets global state of torch; nothing here runs on import.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from foldproof.config.schema import Precision
from foldproof.errors import SettingsError
from foldproof.provenance.foldproof_code import code_digest
from foldproof.provenance.numeric import PORTABLE, NumericClass
from foldproof.training.decisive_code import DecisiveCode
from foldproof.training.forward import use_precision
from foldproof.training.uncompiled import uncompiled

_SWITCHES = (
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
    "CUBLAS_WORKSPACE_CONFIG",
    "TORCH_BLAS_PREFER_CUBLASLT",
)
_FIRST_GPU = torch.device("cuda", 0)


def choose_device(wanted: str) -> torch.device:
    """`auto` is the first CUDA device where there is one, else the CPU; never MPS, which has no deterministic mode.

    A CUDA device always has its index, which `torch.cuda.set_device` and the generators ask for. Raises SettingsError
    for a device that is not there.
    """
    if wanted == "auto":
        return _FIRST_GPU if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise SettingsError(f"no device '{wanted}'", next_step="use execution.device: auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and device.index is None:
        device = _FIRST_GPU
    if device.type == "cuda" and device.index >= torch.cuda.device_count():
        raise SettingsError(
            f"there is no CUDA device for '{wanted}': torch {torch.__version__} sees {torch.cuda.device_count()}",
            next_step="use execution.device: auto or cpu",
        )
    return device


def check_portable() -> None:
    """Raises SettingsError where this process does not compute as every x86-64 processor with AVX2 does."""
    found = torch.backends.cpu.get_cpu_capability()
    if found != "AVX2" or not PORTABLE.items() <= os.environ.items():
        raise SettingsError(
            f"train.portable needs an x86-64 processor with AVX2; torch computes with {found} here",
            next_step="set train.portable: false, or train on another machine",
        )


def settle(device: torch.device, *, threads: int) -> None:
    """Make this process compute the same bits every time: `threads` CPU threads, deterministic kernels, no TF32."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    with suppress(RuntimeError):  # only the first call in a process may set it, and the process keeps that setting
        torch.set_num_interop_threads(1)
    torch.set_deterministic_debug_mode("error")  # `use_deterministic_algorithms` is the same but imports a compiler
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if device.type == "cuda":
        torch.cuda.set_device(device)


@contextmanager
def settled(device: torch.device, *, threads: int) -> Iterator[None]:
    """`settle` for a block in a process that computes other things too: its own settings come back."""
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic, cuda.allow_tf32, cudnn.allow_tf32
    threads_before, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    settle(device, threads=threads)
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic, cuda.allow_tf32, cudnn.allow_tf32 = before
        torch.set_num_threads(threads_before)
        torch.set_deterministic_debug_mode(mode)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


def seed(device: torch.device, bits: int) -> None:
    """Seed the default generator of `device`, and that of the CPU, with 64 bits.

    Of these, torch's CPU generator uses the lower 32: two keys that agree in them draw the same numbers.
    """
    torch.default_generator.manual_seed(bits)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index].manual_seed(bits)


def numeric_class(
    device: torch.device,
    *,
    threads: int,
    code: DecisiveCode | None = None,
    model: str = "",
    portable: bool = False,
    precision: Precision = "float32",
    compiled: bool = False,
) -> NumericClass:
    """The class of this process after `settle`, for what the settings of these names compute."""
    on_gpu = device.type == "cuda"
    return NumericClass(
        torch=f"{torch.__version__} {torch.version.git_version}",
        device=device.type,
        device_name=torch.cuda.get_device_name(device) if on_gpu else "",
        threads=threads,
        instruction_set=torch.backends.cpu.get_cpu_capability(),
        switches=tuple(f"{name}={os.environ[name]}" for name in _SWITCHES if name in os.environ),
        tf32=False,
        memory_format="channels_last",
        optimizer_kernel="fused",
        compiled=compiled,
        training_code=code_digest(),
        plugins=code.backbone if code else "",
        parts=code.parts if code else "",
        packages=code.packages if code else (),
        model=model,
        fingerprint=numeric_fingerprint(device, portable=portable, precision=precision),
    )


def numeric_fingerprint(device: torch.device, *, portable: bool = False, precision: Precision = "float32") -> str:
    """SHA-256 over the bits of a convolution, a matrix product, a softmax, reductions and a step of an optimiser.

    And of square roots, on a CPU by MKL, unless `portable`, which takes none. The inputs are integers divided by
    integers, so that only the arithmetic of this machine is measured.
    """

    def numbers(*shape: int) -> torch.Tensor:
        count = torch.arange(int(torch.Size(shape).numel()), dtype=torch.int64)
        return (((count * 7919 + 104729) % 10007).to(torch.float32) / 10007 - 0.5).reshape(shape).to(device)

    images, kernels, matrix = numbers(8, 16, 19, 19), numbers(24, 16, 3, 3), numbers(257, 131)
    with torch.inference_mode():
        with use_precision(precision, device):
            products = [torch.nn.functional.conv2d(images, kernels, padding=1).float(), (matrix @ matrix.T).float()]
        results = [
            *products,
            torch.softmax(matrix * 8, dim=1),
            torch.log_softmax(matrix * 8, dim=1),
            images.mean(dim=(0, 2, 3)),
            images.square().sum(),
            matrix.exp() if portable else torch.sqrt(matrix.abs()) / (matrix.exp() + 1e-8),
        ]
    results.append(_fused_step(matrix))
    total = hashlib.sha256()
    for result in results:
        total.update(result.contiguous().cpu().numpy().tobytes())
    return total.hexdigest()


def _fused_step(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix after one step of an optimiser."""
    parameter = torch.nn.Parameter(matrix.clone())
    parameter.grad = matrix.flip(0).clone()
    uncompiled(torch.optim.Adam)([parameter], lr=0.01, fused=True).step()
    return parameter.detach()
