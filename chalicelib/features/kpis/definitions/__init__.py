"""KPI definitions."""
