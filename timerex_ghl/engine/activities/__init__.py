"""Notes and tasks: their sentence, and how what nobody told of is found."""
