"""`bnas`: one entry to every command, and their completion in a shell."""
