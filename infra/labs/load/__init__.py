"""The local stack under overload: five times its capacity, and one tenant with twenty times its share.

`__main__` has the phases, `cast` the tenants, `calls` their mix of requests, `sender` the process that sends them,
`figures` percentiles and verdicts, `table` the output.
"""
