"""How each ATen operator is written in ONNX's standard operators: a file per kind of operator."""
