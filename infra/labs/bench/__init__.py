"""The bench: the main jobs on a large, uneven set of tenants, beside yardsticks measured in the same run."""
