"""The model as it stands: its own interpreter where there is one, else operator by operator."""
