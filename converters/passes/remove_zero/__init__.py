"""The pass that removes what is always zero: its rules and what it knows of channels."""
