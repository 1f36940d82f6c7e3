"""What several kinds of records share: models, errors, actions, normal forms."""
