"""What operators do from a terminal. `chalicelib.cli` is the door; nothing of this is loaded in Lambda."""
