"""The outside world, translated into the types of `timerex_ghl.domain`."""
