"""What a .tflite file says: operators, tensors, options, labels; nothing of what they mean."""
