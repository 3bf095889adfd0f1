"""What `avinst doctor` looks for, a file for each place where it looks."""
