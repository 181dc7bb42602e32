"""What draws a frame: one file per view."""
