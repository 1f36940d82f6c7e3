"""HTTP to this machine."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate: for plain HTTP clients. Loading the usual authorities takes 30 ms."""
