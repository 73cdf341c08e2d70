"""Writes graphs and packed programs as ONNX models."""
