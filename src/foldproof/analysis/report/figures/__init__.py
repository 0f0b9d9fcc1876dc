"""What the report draws: values in, figures out; one file a kind. Matplotlib is imported when one is drawn."""
