"""The control API: what tests, demos and checkers can do to a running sandbox."""
