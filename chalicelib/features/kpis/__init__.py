"""KPIs: what is measured, for whom and how long, and the scores that come of it (rules.md, section 9)."""
