"""What people and machines look at from outside: health, jobs, audit, the API's own document and its page."""
