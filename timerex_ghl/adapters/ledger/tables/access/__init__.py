"""Tokens, keys, and answers to requests that are sent again."""
