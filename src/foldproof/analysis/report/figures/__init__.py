"""What the report draws: values in, figures out; one file a kind."""
