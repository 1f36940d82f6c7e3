"""Reviews: how a person may resolve them."""
