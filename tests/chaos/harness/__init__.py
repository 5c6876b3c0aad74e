"""What runs a chaos test: a world, a producer, faults and the ledgers they write."""
