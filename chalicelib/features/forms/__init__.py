"""Forms that a tenant designs for itself: their versions, what people submit with them, and its review."""
