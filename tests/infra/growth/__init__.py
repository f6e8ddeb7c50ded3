"""The arithmetic of growth."""
