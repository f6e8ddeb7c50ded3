"""KPI definitions: what is measured, how a value is scored, and a preview that writes nothing.

routes -> actions (add, change, preview) -> queries, rules; a formula is checked by scores.calculation
"""
