"""Effects: one each over a page or a batch, safe to repeat, with its retries."""
