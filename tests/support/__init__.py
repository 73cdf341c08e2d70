"""What tests share: generators of programs, networks and files, and ways to run commands."""
