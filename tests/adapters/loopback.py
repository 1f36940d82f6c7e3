"""HTTP to this machine."""

import ssl

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: loading the usual authorities takes 30 ms for each client."""
