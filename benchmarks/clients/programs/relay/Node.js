import { graphql } from "relay-runtime";

graphql`query NodeQuery($id: ID!) { node(id: $id) { id ... on Event { name } } }`;
