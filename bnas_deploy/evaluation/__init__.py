"""What an evaluation found, in detail: measures, pictures and a page about a network's answers."""
