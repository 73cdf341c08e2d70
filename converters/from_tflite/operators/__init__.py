"""TensorFlow Lite's operators in ONNX's standard operators, a file per kind."""
