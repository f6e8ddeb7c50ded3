"""Work that may be long: one row per job with its progress, and chunks of employees that finish independently.

A job's message may arrive twice or late; a chunk that is done is not done again, and the job is finished by whoever
finishes its last chunk.
"""
