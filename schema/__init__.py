"""GraphQL shapes: types, inputs, unions and the roots; what they return comes from resolvers."""
