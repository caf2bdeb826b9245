"""Pages for people: what the other packages know, drawn so that it can be read without them."""
