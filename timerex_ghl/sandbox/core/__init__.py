"""What both services of the sandbox share: JSON, clocks, call logs, faults, deliveries."""
