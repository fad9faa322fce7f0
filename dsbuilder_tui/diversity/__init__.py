"""Is this case new? The stages of the gate that compare a candidate with what is already accepted."""
