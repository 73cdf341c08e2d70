"""Whether this machine computes a network's convolutions right, and another way where it does not.

PyTorch hands convolutions to libraries that choose among many kernels by shape, layout, type and
processor. One of them may be wrong on one kind of machine only, and training on it looks like bad
luck. So a run begins with `survey`, which tries every distinct convolution, and computes with
`Convolutions`, which knows what to compute otherwise.
"""
