"""A handler of serve that does nothing: what the Python client itself costs."""
from pgcrew_handler import serve

serve(lambda job: None, name="nothing 1.0", in_flight=16)
