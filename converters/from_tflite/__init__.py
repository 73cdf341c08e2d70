"""Front end: TensorFlow Lite models, with the operators of larq's Compute Engine."""
