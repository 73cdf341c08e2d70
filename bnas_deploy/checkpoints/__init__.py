"""torch: `.pt` files of this project and of others, read safely, and the weights in them."""
