"""The sentence of each kind of record: read, decide, write, remember.

Live, replay and bulk runs all use these functions; nothing here knows Prefect.
"""
