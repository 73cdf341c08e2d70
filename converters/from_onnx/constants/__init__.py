"""What a model computes from constants and shapes alone: by ONNX Runtime, behind limits."""
