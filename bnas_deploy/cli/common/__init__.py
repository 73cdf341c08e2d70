"""What the commands share: entry and errors, text for terminals, options."""
