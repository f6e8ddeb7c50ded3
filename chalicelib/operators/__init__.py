"""What operators do from a terminal. `chalicelib.cli` is the command line; nothing of this is loaded in Lambda."""
