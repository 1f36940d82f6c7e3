"""What operators see: published connections, the audit, reviews, plans of dry runs."""
