"""Reading events and run folders back, from files."""
