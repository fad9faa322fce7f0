"""From slots to accepted cases: batching, workers, the gate, the pipeline that drives them."""
