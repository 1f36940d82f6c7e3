"""Notes and tasks of the workspace, and their pending deletes."""
