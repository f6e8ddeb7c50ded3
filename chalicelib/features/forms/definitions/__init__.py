"""Form definitions and their versions.

    routes -> actions (a change of fields writes the next version) -> queries, field_rules

Beside the files that every package has:
    field_rules.py  checks of a definition, and the order of its fields
    field_schemas.py  fields, options, checks and conditions, as they come in and are stored
    kinds.py  what a form's type means: handlers that the features above register
    patterns.py  patterns that admins write, matched in bounded time
"""
