"""What people and machines look at from outside: health, jobs, audit, the API's own document and its page.

Beside the files that every package has:
    docs.html  the docs page as it is served
"""
