"""What ``dam-obs diff`` prints, as a table or as JSON, and when it fails."""
