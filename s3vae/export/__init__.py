"""Trained models as ONNX files, which run without PyTorch."""
