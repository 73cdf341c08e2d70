"""What bnas-export and bnas-import share: one body over the table of front ends."""
