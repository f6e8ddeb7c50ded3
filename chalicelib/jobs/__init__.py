"""Work that may be long: one row per job with its progress, and chunks of employees that finish independently.

A job's message may arrive twice or late; a chunk that is done is not done again, and the job is finished by whoever
finishes its last chunk.
"""

from chalicelib.jobs.progress import Chunk, create, fail, finish, finish_chunk, split, start, started
from chalicelib.jobs.schemas import Job, Started

__all__ = ["Chunk", "Job", "Started", "create", "fail", "finish", "finish_chunk", "split", "start", "started"]
