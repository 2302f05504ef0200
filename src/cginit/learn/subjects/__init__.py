"""What networks learn, one subject each: features of a fluid, task of the training loop, errors, files."""
