"""The handlers, one for each kind of record or event: read, plan, write, commit.

Live, replay and bulk runs all use these functions. Nothing in this package imports Prefect.
"""
