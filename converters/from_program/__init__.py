"""Front end: any PyTorch module, by way of torch.export."""
