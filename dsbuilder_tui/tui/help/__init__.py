"""Help: the keys, and the guide behind them."""
