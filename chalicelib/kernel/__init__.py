"""The basic values of the domain, without I/O.

money.py    currencies, minor units, the one rounding
period.py   pay periods; halves.py: the two halves of a day and their codes; moments.py: days and moments as input
policy.py   the tenant's pay policy, with defaults
states.py   state machines as data: statuses, allowed moves, the check of a move
errors.py   faults that the caller can understand, each with its kind
schema.py   types of input and output models; numbers.py: strict parsing of numbers; text.py: cleaning of human text
"""
