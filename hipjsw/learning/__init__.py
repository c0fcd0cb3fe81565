"""Networks, activations, losses, overlap and augmentation: what training is made of."""
