"""Form definitions and their versions.

Beside the files that every package has:
    kinds.py  what a form's type means, told by the features above
    patterns.py  patterns that admins write, matched in bounded time
"""
