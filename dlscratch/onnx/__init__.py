"""Trained models for other programs to run."""

from .trace import to_onnx

__all__ = ["to_onnx"]
