"""The front end for ONNX models of other tools."""
