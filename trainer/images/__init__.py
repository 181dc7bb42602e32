"""The same ladder, samplers and seed for pictures: data, U-Net, training, checkpoints, sampling and evaluation."""
