"""What bnas-train says of each setting of a recipe."""

from __future__ import annotations

__all__ = ["RECIPE_HELP"]

RECIPE_HELP = {
    "epochs": "passes over the training images; with fewer than about 50 use --drop-path 0",
    "hours": "end after so many hours of training, with a rate that follows the clock, so that no"
    " two runs are alike; epochs is then only a limit; 0: end after the epochs",
    "batch": "images per step, of all processes together",
    "accumulate": "do a step's batch in N passes, for less memory; BatchNorm sees the images of"
    " one pass (batch/N, of all processes), so its statistics are those of a smaller batch",
    "lr": "peak learning rate; 0.08 works well for short runs of small batches",
    "optimizer": "sgd (the paper's) or adam, which needs about a tenth of the learning rate",
    "momentum": "momentum of SGD, or of Adam's first moment; the middle of its swing",
    "momentum_swing": "how far momentum swings against the learning rate (one-cycle)",
    "weight_decay": "weight decay on every parameter",
    "drop_path": "probability of dropping an edge for an image, reached in the last epoch",
    "label_smoothing": "share of the target spread over all classes",
    "mixup": "alpha of MixUp: mix every image with another of its step, the share drawn from"
    " Beta(alpha, alpha); 0.2 is usual; 0: none",
    "distill": "share of the loss that is the distance from the answers of --teacher; with a"
    " teacher it is 0.9 where nothing else is said",
    "distill_temperature": "what the logits of student and teacher are divided by before they are"
    " compared",
    "balance": "weights: images of rare classes count more, so that all classes count alike",
    "schedule": "schedule of the learning rate; with constant-cosine the length of a run may be"
    " chosen while it runs",
    "restart_epochs": "length of a cosine (cosine-restarts)",
    "warmup_epochs": "first epochs, in which the rate rises (constant-cosine)",
    "decay_share": "last share of the run, in which the rate falls (constant-cosine)",
    "crop_padding": "pixels of zero padding for random crops; 0: no crops",
    "crop_area": "crops of random size and shape that cover at least this share of a picture; for"
    " streamed images; 0: none",
    "small_crop": "start with crops of N pixels, which cost less; a multiple of 4 (backbones: 8);"
    " 0: none",
    "small_crop_share": "share of the epochs that use small crops",
    "real_weights_share": "share of the epochs, the first ones, that compute with the latent"
    " weights themselves, while activations are binary; 0: none",
    "average": "keep an exponential moving average of the weights, over about N epochs; the better"
    " of averaged and last weights by the validation images ships, without such images the averaged"
    " ones; 0: none",
    "flip": "mirror half the images",
    "evaluate_every": "epochs between evaluations on the validation images, or on the test images"
    " where there are none",
    "holdout": "share of each class's training images that is held out to choose the best epoch by,"
    " where the data has no folder val; 0: none, but a tenth where there is no test either",
    "holdout_seed": "which images are held out",
    "head_epochs": "with --init: first epochs in which only the layers that begin anew are trained",
    "patience": "end after N epochs without a better one by the validation images; 0: never",
}
"""One line for each field of `Recipe`."""
