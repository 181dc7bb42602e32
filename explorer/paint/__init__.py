"""What the tools do to a painting, as functions of arrays: no Qt, no torch, no document."""
