"""The main job on one machine: both services played by the sandbox, everything else real."""
