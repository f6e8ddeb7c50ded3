"""Leave types."""
