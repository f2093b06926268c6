"""What a trait's values can be: each type takes, joins, changes and makes its own."""
