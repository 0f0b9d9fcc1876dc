"""k-fold image classification you can prove."""

__version__ = "0.1.0"
