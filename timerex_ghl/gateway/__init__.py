"""The door: stores what is delivered, answers, and does nothing else."""
