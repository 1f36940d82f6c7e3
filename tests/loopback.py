"""HTTP to this machine."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: for clients that speak plain HTTP. Loading the usual authorities takes 30 ms."""
