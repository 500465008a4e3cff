"""What Runline costs, as ratios to the raw limit or a peer, taken in one run on one machine."""
