"""The demo: two tenants whose January 2026 holds the worked numbers of rules.md, and whose last weeks look lived in."""
