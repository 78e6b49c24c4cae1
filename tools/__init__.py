"""What the assistant sees: one declaration per operation or endpoint, grouped by domain."""
