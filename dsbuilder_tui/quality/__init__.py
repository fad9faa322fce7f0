"""Is a case good? Validators hold it against rules, before it counts and for nothing."""
