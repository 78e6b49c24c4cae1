"""A made-up Archive that answers GraphQL as the real one does."""
