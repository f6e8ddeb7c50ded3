"""KPI assignments."""
