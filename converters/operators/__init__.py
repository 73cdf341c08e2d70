"""Models written in ONNX's standard operators, whichever front end read them, and their graphs."""
