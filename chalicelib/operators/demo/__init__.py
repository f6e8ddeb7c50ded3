"""The demo: two tenants whose January 2026 holds the worked numbers of rules.md, whose last weeks look lived in, and
who pay sellers.
"""
