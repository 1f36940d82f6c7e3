"""What must know Prefect beside flows and tasks: contexts, run policy, reports, automations."""
