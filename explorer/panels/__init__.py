"""The controls: bars, strips, drawer and dialogs."""
