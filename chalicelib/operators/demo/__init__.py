"""The demo: two tenants with the worked numbers of rules.md in January 2026, recent weeks of attendance, and sales."""
