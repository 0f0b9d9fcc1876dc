"""Backbones by name: number of classes in, `nn.Module` out."""
