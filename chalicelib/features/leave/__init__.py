"""Leave: its types."""
