"""Who calls, for which tenant, allowed what."""
