"""The order of steps: which steps run, and when."""
