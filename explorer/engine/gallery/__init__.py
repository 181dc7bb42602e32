"""What computes pictures beside the window: it opens image models and runs one job after another."""
