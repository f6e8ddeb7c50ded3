"""Tenants and who may enter them: settings and pay policy, members, API keys, the platform's list of tenants.

    routes -> actions -> queries; the tables are in identity.models, which reads them to authenticate

A change of settings that moves days or pay marks the open pay periods as stale; another cycle start day drops them
(periods.cycle). Start with actions.change_settings.
"""
