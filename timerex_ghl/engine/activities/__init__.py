"""Notes and tasks: their handler, and the sweeps that find what no webhook reports."""
