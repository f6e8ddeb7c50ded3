"""Tenants and who may enter them: settings and pay policy, members, API keys, the platform's list of tenants."""
