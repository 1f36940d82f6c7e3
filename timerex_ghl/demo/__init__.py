"""The demo: the main job on one machine, with the sandbox in place of both services."""
