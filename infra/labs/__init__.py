"""Measurements and experiments: benchmarks, the crash laboratory, load, growth, and drills."""
