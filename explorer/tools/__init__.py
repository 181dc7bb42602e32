"""The tools in a person's hand: mouse, pen and keys on the canvas become commands of the document."""
