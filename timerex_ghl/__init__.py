"""TimeRex bookings and GoHighLevel contacts kept in step: everything that is not Prefect."""
