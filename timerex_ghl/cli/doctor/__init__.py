"""`timerex-ghl doctor`: its checks and its command."""
