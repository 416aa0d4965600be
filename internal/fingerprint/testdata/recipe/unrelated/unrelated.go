package unrelated

// Answer is used by another test.
func Answer() int { return 42 }
