"""Stand in for AWS and for a database server on one machine, for `make run` and for the tests."""
