"""Films and pictures, made from the same frames that the window shows."""
