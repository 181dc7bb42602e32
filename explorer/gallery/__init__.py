"""The pictures' window: an image model, and how pictures come out of noise."""
