"""Leave requests and their decisions.

Beside the files that every package has:
    form_handler.py  what a form of the type leave_request means
"""
