"""TimeRex, translated into our words."""
