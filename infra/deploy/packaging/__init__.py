"""The parts of `make package`: what goes into a zip, how it is written, and what is asked of it before it leaves."""
