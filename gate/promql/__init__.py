"""PromQL, as far as the gate has to understand it: pure text, apart from who sends it where."""
