"""The engine: everything that computes, in a process of its own."""
