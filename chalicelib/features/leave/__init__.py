"""Leave: its types.

Beside the files that every package has:
    followers.py  what leave does when facts or working days change
"""
