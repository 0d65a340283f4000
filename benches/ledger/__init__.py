"""What a reservation costs: credits a second that processes can reserve and settle (docs/reference/benches.md)."""
