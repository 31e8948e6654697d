"""The built-in parts, and how an object is made from its spec."""
