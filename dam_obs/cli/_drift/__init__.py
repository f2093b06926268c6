"""What `dam-obs backtest` and `dam-obs check` share and print."""
