"""The outside world, translated into the words of `timerex_ghl.domain`."""
